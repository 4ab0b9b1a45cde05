import type { Supervisor } from '@rollcall/daemon';
import type { Clock, Timer } from '@rollcall/runtime';

/** A clock whose callbacks cannot end the process: the supervisor gets what one of them throws. */
export class GuardedClock implements Clock {
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;

  constructor(clock: Clock, supervisor: Supervisor) {
    this.#clock = clock;
    this.#supervisor = supervisor;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  after(ms: number, call: () => void, options?: { readonly keepsAlive: boolean }): Timer {
    return this.#clock.after(ms, this.#supervisor.guard('timer', call), options);
  }

  every(ms: number, call: () => void): Timer {
    return this.#clock.every(ms, this.#supervisor.guard('timer', call));
  }
}
