import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';
import { AdmittedScan } from './admitted-scan.ts';
import { AliasTable } from './alias-table.ts';

/** How often the second draw is repeated when it hits the first candidate. */
const REDRAWS = 3;

/**
 * Power of two choices: of two random candidates, the one with fewer calls in flight per weight. M. Mitzenmacher, "The
 * power of two choices in randomized load balancing" (IEEE TPDS, 2001).
 *
 * The second wins only when it is strictly less loaded. So an idle service is called exactly by weight (the
 * first draw alone decides), whereas comparing `(inFlight + 1) / weight` would send every call of a quiet
 * client to the heaviest target.
 */
export class P2c<T extends Candidate> implements Order<T> {
  readonly #level: Level<T>;
  readonly #random: Random;
  readonly #table: AliasTable | undefined;
  readonly #scan: AdmittedScan<T>;

  constructor(level: Level<T>, random: Random) {
    this.#level = level;
    this.#random = random;
    this.#table = level.isEqual ? undefined : new AliasTable(level.weights, random);
    this.#scan = new AdmittedScan(level, random, true);
  }

  next(): Picked<T> {
    const { targets, results } = this.#level;
    const count = targets.length;
    if (count === 1) return results[0]!;
    if (this.#table !== undefined) return this.#nextByWeight(this.#table);
    const first = Math.floor(this.#random() * count);
    let second = Math.floor(this.#random() * (count - 1));
    if (second >= first) second++;
    return targets[second]!.inFlight < targets[first]!.inFlight
      ? results[second]!
      : results[first]!;
  }

  #nextByWeight(table: AliasTable): Picked<T> {
    const { targets, results, weights } = this.#level;
    const first = table.draw();
    let second = table.draw();
    for (let redraw = 0; second === first && redraw < REDRAWS; redraw++) second = table.draw();
    const isSecondIdler =
      targets[second]!.inFlight * weights[first]! < targets[first]!.inFlight * weights[second]!;
    return isSecondIdler ? results[second]! : results[first]!;
  }

  nextAdmitted(admit: (candidate: T) => boolean): Picked<T> | undefined {
    return this.#scan.pick(this, admit);
  }
}
