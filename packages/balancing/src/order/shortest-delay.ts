import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';
import { createTurns, type Turns } from './turns.ts';

export interface DelayRule {
  /** 0: the current load counts. 1: the load including one more call counts, as in "expected delay". */
  readonly extraCalls: 0 | 1;
  /** An idle candidate wins before any comparison, whatever its weight. */
  readonly isIdleFirst: boolean;
}

/**
 * Picks the candidate with the least `(in flight + extra calls) / weight`, like the connection schedulers of IPVS. It
 * starts with the candidate whose turn it is, and another one wins only when it is strictly less loaded, so that ties
 * go by turn and not to the first candidate in the list.
 *
 * It compares all candidates, at about 3 ns each: use it for connections, which cost a hundred times as much to open,
 * and not for requests.
 */
export class ShortestDelay<T extends Candidate> implements Order<T> {
  readonly #level: Level<T>;
  readonly #rule: DelayRule;
  readonly #turns: Turns;

  constructor(level: Level<T>, random: Random, rule: DelayRule) {
    this.#level = level;
    this.#rule = rule;
    this.#turns = createTurns(level.weights, random);
  }

  next(): Picked<T> {
    return this.#least(undefined)!;
  }

  nextAdmitted(admit: (candidate: T) => boolean): Picked<T> | undefined {
    return this.#least(admit);
  }

  keepTurn(): (() => void) | undefined {
    return this.#turns.keep?.();
  }

  #least(admit: ((candidate: T) => boolean) | undefined): Picked<T> | undefined {
    const { targets, weights, results } = this.#level;
    const { extraCalls, isIdleFirst } = this.#rule;
    const count = targets.length;
    let at = this.#turns.next();
    let best = -1;
    let load = 0;
    for (let step = 0; step < count; step++) {
      const target = targets[at]!;
      if (admit === undefined || admit(target)) {
        const own = target.inFlight + extraCalls;
        if (isIdleFirst && own === extraCalls) return results[at];
        if (best === -1 || own * weights[best]! < load * weights[at]!) {
          best = at;
          load = own;
        }
      }
      at = at + 1 === count ? 0 : at + 1;
    }
    return best === -1 ? undefined : results[best];
  }
}
