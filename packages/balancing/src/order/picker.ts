import type { Candidate } from './candidate.ts';

/** The target to call. Created once, with the picker, so that a pick allocates nothing. */
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
  /** Whether a candidate may be picked: false, for example, when it was tried already. Must not throw. */
  readonly admit?: ((candidate: T) => boolean) | undefined;
  /** Used by hash policies: an unsigned 32-bit number, see `hashOf`. Random when absent. */
  readonly hash?: number | undefined;
}

/**
 * A fixed list of candidates under one policy. A change of the candidates, their weights, their tiers or the policy needs
 * a new picker; in-flight counts are read at each pick.
 *
 * Candidates are tried level by level: tier 0 with a weight above 0, tier 0 with weight 0, tier 1 with a weight above 0,
 * tier 1 with weight 0; within each of them those that are near before those that are far. A level is used only when `admit` refuses all candidates of the levels before it.
 */
export interface Picker<T extends Candidate> {
  readonly candidates: readonly T[];
  /** Synchronous, without allocation; never throws. */
  pick(context?: PickContext<T>): PickResult<T>;
  /** What {@link pick} would return now. Takes nobody's turn; a policy that draws at random draws anew for each pick. */
  peek(context?: PickContext<T>): PickResult<T>;
  /** Those that {@link pick} chooses among: the admitted ones of the first level that has any. */
  eligible(admit?: (candidate: T) => boolean): readonly T[];
}
