import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';

/** Number of draws in the policy's own order before the whole level is scanned. */
const DRAWS = 4;

/** Number of admitted candidates that a load-aware scan compares. */
const COMPARED = 8;

/**
 * What every order does when some candidates are refused: a few draws of its own, then one walk over the level from a
 * random start. With a fixed start, the candidate after a refused one would get all of its calls.
 */
export class AdmittedScan<T extends Candidate> {
  readonly #level: Level<T>;
  readonly #random: Random;
  readonly #compared: number;

  constructor(level: Level<T>, random: Random, isLoadAware: boolean) {
    this.#level = level;
    this.#random = random;
    this.#compared = isLoadAware ? COMPARED : 1;
  }

  pick(order: Order<T>, admit: (candidate: T) => boolean): Picked<T> | undefined {
    for (let draw = 0; draw < DRAWS; draw++) {
      const picked = order.next();
      if (admit(picked.target)) return picked;
    }
    return this.#walk(admit);
  }

  #walk(admit: (candidate: T) => boolean): Picked<T> | undefined {
    const { targets, results, weights } = this.#level;
    const count = targets.length;
    let at = Math.floor(this.#random() * count);
    let best = -1;
    let compared = 0;
    for (let step = 0; step < count && compared < this.#compared; step++) {
      const target = targets[at]!;
      if (admit(target)) {
        compared++;
        if (
          best === -1 ||
          target.inFlight * weights[best]! < targets[best]!.inFlight * weights[at]!
        )
          best = at;
      }
      at = at + 1 === count ? 0 : at + 1;
    }
    return best === -1 ? undefined : results[best];
  }
}
