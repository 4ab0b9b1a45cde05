import type { Candidate } from './candidate.ts';
import type { Picked } from './picker.ts';

/** Candidates of one level (same tier, all with weight or all without), as parallel arrays. */
export interface Level<T extends Candidate> {
  readonly targets: readonly T[];
  /** The pick result of each target, created in advance. */
  readonly results: readonly Picked<T>[];
  /** All 1 when the weights are equal. */
  readonly weights: readonly number[];
  readonly isEqual: boolean;
}

/** How a policy chooses within one level. */
export interface Order<T extends Candidate> {
  /**
   * The next candidate in the policy's order; the level is never empty. `hash` is an unsigned 32-bit number that
   * represents the caller or the destination; only hash policies use it.
   */
  next(hash?: number): Picked<T>;
  /**
   * The next candidate that `admit` accepts; undefined when it accepts none. Close to the policy's order while most are
   * admitted; when many are refused, weights are only approximate.
   */
  nextAdmitted(admit: (candidate: T) => boolean, hash?: number): Picked<T> | undefined;
  /** Keeps whose turn it is: the returned function, if any, puts it back. Absent where there are no turns. */
  keepTurn?(): (() => void) | undefined;
}

/** Uniform in [0, 1). */
export type Random = () => number;

export type OrderFactory = <T extends Candidate>(level: Level<T>, random: Random) => Order<T>;
