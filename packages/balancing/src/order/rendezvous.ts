import type { Candidate } from './candidate.ts';
import { hashOf, mix } from './hash.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';

const RANGE = 4_294_967_296;

/**
 * The same hash goes to the same candidate, and when a candidate leaves only its own hashes move: highest random weight
 * (D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN, 1998), with weights by
 * the logarithm method. Needs no table that would be rebuilt on a change; a pick compares every candidate.
 */
export class Rendezvous<T extends Candidate> implements Order<T> {
  readonly #level: Level<T>;
  readonly #random: Random;
  readonly #seeds: Uint32Array;

  constructor(level: Level<T>, random: Random) {
    this.#level = level;
    this.#random = random;
    this.#seeds = Uint32Array.from(level.targets, ({ id }) => hashOf(id));
  }

  next(hash: number = this.#drawn()): Picked<T> {
    return this.#highest(hash, undefined)!;
  }

  nextAdmitted(
    admit: (candidate: T) => boolean,
    hash: number = this.#drawn(),
  ): Picked<T> | undefined {
    return this.#highest(hash, admit);
  }

  #drawn(): number {
    return Math.floor(this.#random() * RANGE);
  }

  #highest(hash: number, admit: ((candidate: T) => boolean) | undefined): Picked<T> | undefined {
    const { targets, weights, results, isEqual } = this.#level;
    let best = -1;
    let highest = -1;
    for (let at = 0; at < targets.length; at++) {
      if (admit !== undefined && !admit(targets[at]!)) continue;
      const drawn = mix(this.#seeds[at]! ^ hash);
      const score = isEqual ? drawn : -weights[at]! / Math.log((drawn + 0.5) / RANGE);
      if (score <= highest) continue;
      best = at;
      highest = score;
    }
    return best === -1 ? undefined : results[best];
  }
}
