import type { Candidate } from './candidate.ts';

/** The one to call. Made when the picker is built: a pick allocates nothing. */
export interface Picked<T> {
  readonly kind: 'picked';
  readonly target: T;
}

/** `empty`: the snapshot has no candidates. `none_admitted`: `admit` refused every one of them. */
export type NoneReason = 'empty' | 'none_admitted';

/** Nobody to call, which is an expected outcome and no error. */
export interface NonePicked {
  readonly kind: 'none';
  readonly reason: NoneReason;
}

export type PickResult<T> = Picked<T> | NonePicked;

export interface PickContext<T> {
  /** Leaves out those for which it answers false, e.g. the ones already tried. Must not throw. */
  readonly admit?: ((candidate: T) => boolean) | undefined;
  /** What the schedulers by hash go by: an unsigned 32-bit number, see `hashOf`. Drawn when absent. */
  readonly hash?: number | undefined;
}

/**
 * A momentary snapshot of candidates under one policy, replaced whole when anything but an in-flight
 * count changes. Weights and tiers are read once, when it is built.
 *
 * Candidates are tried level by level: tier 0 with weight, tier 0 of weight 0, tier 1 with weight,
 * tier 1 of weight 0. A level is used only when `admit` leaves nobody of the levels before it.
 */
export interface Picker<T extends Candidate> {
  readonly candidates: readonly T[];
  /** Synchronous, without allocation; never throws. */
  pick(context?: PickContext<T>): PickResult<T>;
}
