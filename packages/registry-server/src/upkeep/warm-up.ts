import { ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';

/**
 * The first moments on an empty store, or on one that came back. Instances that a lost registry knew are on their way back, so nobody is told
 * that a service has none: an error makes callers keep what they had, an empty list would make them forget it.
 */
export class WarmUp {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  #endsAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  begin(): void {
    this.#endsAtMs = this.#clock.monotonicMs() + this.#lengthMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.monotonicMs());
  }

  /** Throws `warming_up` while it lasts; for a service without instances. */
  check(service: string): void {
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
