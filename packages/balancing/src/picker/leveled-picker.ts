import type { Candidate } from '../order/candidate.ts';
import type { Level, Order, Random } from '../order/order.ts';
import type { NonePicked, PickContext, Picked, Picker, PickResult } from '../order/picker.ts';
import { POLICIES, type Policy } from '../order/policy.ts';

const EMPTY: NonePicked = Object.freeze({ kind: 'none', reason: 'empty' });
const NONE_ADMITTED: NonePicked = Object.freeze({ kind: 'none', reason: 'none_admitted' });

export interface PickerOptions<T> {
  /** Uniform in [0, 1). */
  readonly random: Random;
  /** Whether a candidate comes after those that are not far. @default none is far */
  readonly isFar?: ((candidate: T) => boolean) | undefined;
}

/** Builds a picker over `candidates`, in O(n). Throws a TypeError on a negative or non-finite weight. */
export function createPicker<T extends Candidate>(
  policy: Policy,
  candidates: readonly T[],
  { random, isFar }: PickerOptions<T>,
): Picker<T> {
  const levels: T[][] = Array.from({ length: 8 }, () => []);
  for (const candidate of candidates) {
    const { id, weight, tier } = candidate;
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new TypeError(`candidate ${id} has weight ${weight}: expected a number of at least 0`);
    const far = isFar?.(candidate) === true ? 1 : 0;
    levels[tier * 4 + (weight > 0 ? 0 : 2) + far]!.push(candidate);
  }
  const create = POLICIES[policy];
  const used = levels.filter((targets) => targets.length > 0);
  const orders = used.map((targets) => create(levelOf(targets), random));
  return new LeveledPicker(Object.freeze([...candidates]), used, orders);
}

function levelOf<T extends Candidate>(targets: readonly T[]): Level<T> {
  const isEqual = targets.every((target) => target.weight === targets[0]!.weight);
  return {
    targets,
    results: targets.map((target): Picked<T> => Object.freeze({ kind: 'picked', target })),
    weights: targets.map((target) => (isEqual ? 1 : target.weight)),
    isEqual,
  };
}

class LeveledPicker<T extends Candidate> implements Picker<T> {
  readonly candidates: readonly T[];
  readonly #levels: readonly (readonly T[])[];
  /** One for each level. */
  readonly #orders: readonly Order<T>[];
  readonly #first: Order<T> | undefined;

  constructor(
    candidates: readonly T[],
    levels: readonly (readonly T[])[],
    orders: readonly Order<T>[],
  ) {
    this.candidates = candidates;
    this.#levels = levels;
    this.#orders = orders;
    this.#first = orders[0];
  }

  pick(context?: PickContext<T>): PickResult<T> {
    const first = this.#first;
    if (first === undefined) return EMPTY;
    if (context === undefined) return first.next();
    const { admit, hash } = context;
    if (admit === undefined) return first.next(hash);
    for (const order of this.#orders) {
      const picked = order.nextAdmitted(admit, hash);
      if (picked !== undefined) return picked;
    }
    return NONE_ADMITTED;
  }

  peek(context?: PickContext<T>): PickResult<T> {
    const turns = this.#orders.map((order) => order.keepTurn?.());
    const picked = this.pick(context);
    for (const putBack of turns) putBack?.();
    return picked;
  }

  eligible(admit?: (candidate: T) => boolean): readonly T[] {
    if (admit === undefined) return this.#levels[0] ?? [];
    for (const level of this.#levels) {
      const admitted = level.filter(admit);
      if (admitted.length > 0) return admitted;
    }
    return [];
  }
}
