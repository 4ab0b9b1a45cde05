import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';
import { AdmittedScan } from './admitted-scan.ts';
import { AliasTable } from './alias-table.ts';

/** Draws by weight. Unlike round-robin, it spreads calls evenly even when many small clients do not coordinate. */
export class RandomOrder<T extends Candidate> implements Order<T> {
  readonly #results: readonly Picked<T>[];
  readonly #random: Random;
  readonly #table: AliasTable | undefined;
  readonly #scan: AdmittedScan<T>;

  constructor(level: Level<T>, random: Random) {
    this.#results = level.results;
    this.#random = random;
    this.#table = level.isEqual ? undefined : new AliasTable(level.weights, random);
    this.#scan = new AdmittedScan(level, random, false);
  }

  next(): Picked<T> {
    const table = this.#table;
    const at =
      table === undefined ? Math.floor(this.#random() * this.#results.length) : table.draw();
    return this.#results[at]!;
  }

  nextAdmitted(admit: (candidate: T) => boolean): Picked<T> | undefined {
    return this.#scan.pick(this, admit);
  }
}
