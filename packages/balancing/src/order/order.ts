import type { Candidate } from './candidate.ts';
import type { Picked } from './picker.ts';

/** Candidates of one level (same tier, all with weight or all without), as parallel arrays. */
export interface Level<T extends Candidate> {
  readonly targets: readonly T[];
  /** The result that each target is picked with. */
  readonly results: readonly Picked<T>[];
  /** All 1 when the weights are equal. */
  readonly weights: readonly number[];
  readonly isEqual: boolean;
}

/** How a policy goes through one level. */
export interface Order<T extends Candidate> {
  /**
   * The next one in the policy's order; the level is never empty. `hash` is an unsigned 32-bit number that stands for
   * the caller or the destination; only orders by hash look at it.
   */
  next(hash?: number): Picked<T>;
  /**
   * The next one that `admit` accepts; undefined when it accepts nobody. Close to the policy's order
   * while most are admitted; weights are not kept exactly when many are refused.
   */
  nextAdmitted(admit: (candidate: T) => boolean, hash?: number): Picked<T> | undefined;
}

/** Uniform in [0, 1). */
export type Random = () => number;

export type OrderFactory = <T extends Candidate>(level: Level<T>, random: Random) => Order<T>;
