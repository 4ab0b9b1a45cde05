import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';
import { AdmittedScan } from './admitted-scan.ts';
import { createTurns, type Turns } from './turns.ts';

/**
 * Up to this number all candidates are compared: a full scan costs about 3 ns per busy
 * target, and a pick may cost 100 ns.
 */
const SCAN_LIMIT = 24;

/** Above the limit: the candidate whose turn it is and this many random ones are compared. */
const SAMPLES = 3;

/**
 * Picks the fewest calls in flight per weight. It starts with the candidate whose weighted turn it is, and another one
 * wins only when it is strictly less loaded, so ties go by turn.
 *
 * Up to 24 targets, all are compared. Above that, four are compared: the one whose turn it is and three random ones.
 * This is nearly as good (see {@link P2c}), at a constant cost.
 */
export class LeastOutstanding<T extends Candidate> implements Order<T> {
  readonly #level: Level<T>;
  readonly #random: Random;
  readonly #turns: Turns;
  readonly #scan: AdmittedScan<T>;

  constructor(level: Level<T>, random: Random) {
    this.#level = level;
    this.#random = random;
    this.#turns = createTurns(level.weights, random);
    this.#scan = new AdmittedScan(level, random, true);
  }

  next(): Picked<T> {
    const { targets, results } = this.#level;
    const start = this.#turns.next();
    if (targets[start]!.inFlight === 0) return results[start]!;
    return results[targets.length > SCAN_LIMIT ? this.#sample(start) : this.#least(start)]!;
  }

  #least(start: number): number {
    const { targets, weights } = this.#level;
    const count = targets.length;
    let best = start;
    let load = targets[start]!.inFlight;
    let weight = weights[start]!;
    let at = start;
    for (let step = 1; step < count; step++) {
      at = at + 1 === count ? 0 : at + 1;
      const inFlight = targets[at]!.inFlight;
      if (inFlight === 0) return at;
      if (inFlight * weight < load * weights[at]!) {
        best = at;
        load = inFlight;
        weight = weights[at]!;
      }
    }
    return best;
  }

  #sample(start: number): number {
    const { targets, weights } = this.#level;
    let best = start;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const at = Math.floor(this.#random() * targets.length);
      if (targets[at]!.inFlight * weights[best]! < targets[best]!.inFlight * weights[at]!)
        best = at;
    }
    return best;
  }

  nextAdmitted(admit: (candidate: T) => boolean): Picked<T> | undefined {
    return this.#scan.pick(this, admit);
  }

  keepTurn(): (() => void) | undefined {
    return this.#turns.keep?.();
  }
}
