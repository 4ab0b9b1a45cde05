/** Time, as everything sees it. Whoever needs less takes a part: `Pick<Clock, 'monotonicMs'>`. */
export interface Clock {
  /** Time in ms since some moment; never steps. For durations and deadlines. */
  readonly monotonicMs: () => number;
  /** Unix time in ms. May step. For people and for other machines. */
  readonly wallMs: () => number;
  /** Calls back once after `ms`; the handle cancels it. Does not keep the process alive unless told to. */
  readonly after: (
    ms: number,
    call: () => void,
    options?: { readonly keepsAlive: boolean },
  ) => Timer;
  /** Calls back every `ms` until it is cancelled. Does not keep the process alive. */
  readonly every: (ms: number, call: () => void) => Timer;
}

/** Cancelling twice, or after the last call, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The machine's clock. Timers call back after the event loop has read what had arrived by then: a process that was held
 * up, on a busy machine, would otherwise find others silent whose bytes it has already received.
 */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, call, { keepsAlive } = { keepsAlive: false }) {
    const turn = afterReading(call);
    const timer = setTimeout(turn.begin, ms);
    if (!keepsAlive) timer.unref();
    return {
      cancel() {
        turn.cancel();
        clearTimeout(timer);
      },
    };
  },
  every(ms, call) {
    const turn = afterReading(call);
    const timer = setInterval(turn.begin, ms);
    timer.unref();
    return {
      cancel() {
        turn.cancel();
        clearInterval(timer);
      },
    };
  },
};

/** The event loop runs timers, then reads, then runs immediates. */
function afterReading(call: () => void) {
  let isCancelled = false;
  const turn = () => {
    if (!isCancelled) call();
  };
  return {
    begin: () => void setImmediate(turn),
    cancel() {
      isCancelled = true;
    },
  };
}
