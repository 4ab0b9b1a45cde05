import { ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';

/**
 * The time right after an empty store was found, or a store came back. Instances of the lost registry are about to
 * register again, so no caller may learn that a service has none: on an error callers keep what they had, on an empty
 * list they would forget it.
 */
export class WarmUp {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  #endsAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  start(): void {
    this.#endsAtMs = this.#clock.monotonicMs() + this.#lengthMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.monotonicMs());
  }

  /** Throws `warming_up` during the warm-up; call it for a service without instances. */
  throwIfWarming(service: string): void {
    const { leftMs } = this;
    if (leftMs === 0) return;
    const seconds = Math.ceil(leftMs / 1_000);
    throw new ProblemError(
      'warming_up',
      `the store is new, or was away, and has no instance of ${service} yet: instances are given ${seconds} s to return`,
      { retryAfterSeconds: 1 },
    );
  }
}
