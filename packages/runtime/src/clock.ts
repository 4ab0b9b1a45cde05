import { performance } from 'node:perf_hooks';

/** The clock for all code. Code that needs less takes a part: `Pick<Clock, 'monotonicMs'>`. */
export interface Clock {
  /** Time in ms since an arbitrary moment; never jumps. For durations and deadlines. */
  readonly monotonicMs: () => number;
  /** Unix time in ms; may jump. For people and for other machines. */
  readonly wallMs: () => number;
  /** Calls back once after `ms`; the handle cancels it. Keeps the process alive only if `keepsAlive` is set. */
  readonly after: (
    ms: number,
    call: () => void,
    options?: { readonly keepsAlive: boolean },
  ) => Timer;
  /** Calls back every `ms` until it is cancelled. Does not keep the process alive. */
  readonly every: (ms: number, call: () => void) => Timer;
}

/** Cancelling it again, or after the last call, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The machine's clock. Timers call back after the event loop has read what had arrived by then. Otherwise a process
 * that was blocked, on a busy machine, would treat peers as silent whose bytes it has already received.
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

/** Delays a timer callback until pending input was read: the event loop runs timers, then reads, then immediates. */
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
