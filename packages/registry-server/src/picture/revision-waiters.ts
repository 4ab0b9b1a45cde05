import type { Clock } from '@rollcall/runtime';

interface Waiter {
  readonly revision: number;
  done(isReached: boolean): void;
}

/** Callers that wait for the picture to reach a revision. */
export class RevisionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with whether a revision is reached within a time, in ms. */
  wait(revision: number, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        revision,
        done: (isReached) => {
          timer.cancel();
          this.#waiters.delete(waiter);
          resolve(isReached);
        },
      };
      const timer = this.#clock.after(withinMs, () => waiter.done(false));
      this.#waiters.add(waiter);
    });
  }

  /** The picture has reached this revision. */
  reached(revision: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision <= revision) waiter.done(true);
    }
  }
}
