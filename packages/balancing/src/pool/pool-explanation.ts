import type { Endpoint } from '@rollcall/contract';
import { drawsAtRandom, type Policy } from '../order/policy.ts';
import type { Ejected } from './ejection.ts';
import type { PoolTarget } from './pool-target.ts';
import type { PoolState } from './pool-state.ts';

/**
 * Why the next pick cannot return a target: its state (that of a last resort, such as `suspect`, when there is a better
 * one), its own failures, its owner's condition, its weight of 0 when another has more, its zone, or the pick's own
 * condition.
 */
export type Refusal =
  | Endpoint['state']
  | 'ejected'
  | 'unfit'
  | 'no_weight'
  | 'other_zone'
  | 'filtered';

export interface TargetExplanation<T> {
  readonly target: T;
  /** Undefined: the next pick may return it. */
  readonly refusal: Refusal | undefined;
  /** Its ejection, also when it is used in spite of it, because too many are ejected. */
  readonly ejection: Ejected | undefined;
}

export interface PoolExplanation<T> {
  readonly policy: Policy;
  /** The policy draws at random among several: `next` is one that it may draw. */
  readonly isDrawn: boolean;
  /** What a pick would return now; undefined = nothing. */
  readonly next: T | undefined;
  readonly targets: readonly TargetExplanation<T>[];
}

interface Explained<T> {
  readonly policy: Policy;
  readonly admit: ((target: T) => boolean) | undefined;
  readonly ejectionOf: (target: T) => Ejected | undefined;
}

/** Reads the state that picks use: what it left out, and at which of the steps that made it. */
export function explainPool<T extends PoolTarget>(
  targets: Iterable<T>,
  { picker, usable, far }: PoolState<T>,
  { policy, admit, ejectionOf }: Explained<T>,
): PoolExplanation<T> {
  const open = new Set(picker.eligible(admit));
  const candidates = new Set(picker.candidates);
  const inUse = new Set(usable);
  const [first] = open;
  const refusalOf = (target: T, isEjected: boolean): Refusal | undefined => {
    if (open.has(target)) return undefined;
    if (admit?.(target) === false) return 'filtered';
    if (!inUse.has(target)) return target.endpoint.state;
    if (!candidates.has(target)) return isEjected ? 'ejected' : 'unfit';
    if (target.tier !== first?.tier) return target.endpoint.state;
    return far.has(target) && target.weight > 0 ? 'other_zone' : 'no_weight';
  };
  const result = picker.peek({ admit });
  return {
    policy,
    isDrawn: drawsAtRandom(policy) && open.size > 1,
    next: result.kind === 'picked' ? result.target : undefined,
    targets: Array.from(targets, (target) => {
      const ejection = ejectionOf(target);
      return { target, refusal: refusalOf(target, ejection !== undefined), ejection };
    }),
  };
}
