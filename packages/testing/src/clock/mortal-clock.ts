import type { Clock, Timer } from '@rollcall/runtime';

/** The part of a clock that a client of the registry uses. */
type ClientClock = Pick<Clock, 'monotonicMs' | 'after'>;

/** The clock of one process: once it is killed, nothing of the process runs any more. */
export class MortalClock {
  readonly #clock: ClientClock;
  readonly #timers = new Set<Timer>();
  #isDead = false;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** To be spread into a client's runtime. */
  readonly runtime: ClientClock = {
    monotonicMs: () => this.#clock.monotonicMs(),
    after: (ms, call, options) => this.#after(ms, call, options),
  };

  get isDead(): boolean {
    return this.#isDead;
  }

  kill(): void {
    this.#isDead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #after(...[ms, call, options]: Parameters<Clock['after']>): Timer {
    if (this.#isDead) return { cancel() {} };
    const onDue = () => {
      this.#timers.delete(timer);
      call();
    };
    const timer = this.#clock.after(ms, onDue, options);
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }
}
