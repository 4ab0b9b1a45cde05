import type { Candidate } from './candidate.ts';

/** The target to call. Created together with the picker: a pick allocates nothing. */
export interface Picked<T> {
  readonly kind: 'picked';
  readonly target: T;
}

/** `empty`: the snapshot has no candidates. `none_admitted`: `admit` refused every one of them. */
export type NoneReason = 'empty' | 'none_admitted';

/** No target to call: an expected result, not an error. */
export interface NonePicked {
  readonly kind: 'none';
  readonly reason: NoneReason;
}

export type PickResult<T> = Picked<T> | NonePicked;

export interface PickContext<T> {
  /** Excludes candidates for which it returns false, e.g. those already tried. Must not throw. */
  readonly admit?: ((candidate: T) => boolean) | undefined;
  /** Used by hash policies: an unsigned 32-bit number, see `hashOf`. Random when absent. */
  readonly hash?: number | undefined;
}

/**
 * An immutable snapshot of candidates under one policy, replaced as a whole when anything but an in-flight count
 * changes. Weights and tiers are read once, when it is built.
 *
 * Candidates are tried level by level: tier 0 with weight, tier 0 with weight 0, tier 1 with weight, tier 1 with weight
 * 0. A level is used only when `admit` refuses all candidates of the levels before it.
 */
export interface Picker<T extends Candidate> {
  readonly candidates: readonly T[];
  /** Synchronous, without allocation; never throws. */
  pick(context?: PickContext<T>): PickResult<T>;
}
