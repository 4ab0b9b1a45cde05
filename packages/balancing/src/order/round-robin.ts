import type { Candidate } from './candidate.ts';
import type { Level, Order, Random } from './order.ts';
import type { Picked } from './picker.ts';
import { AdmittedScan } from './admitted-scan.ts';
import { createTurns, type Turns } from './turns.ts';

/** In turn, heavier candidates more often. Ignores load: for similar targets and short calls. */
export class RoundRobin<T extends Candidate> implements Order<T> {
  readonly #results: readonly Picked<T>[];
  readonly #turns: Turns;
  readonly #scan: AdmittedScan<T>;

  constructor(level: Level<T>, random: Random) {
    this.#results = level.results;
    this.#turns = createTurns(level.weights, random);
    this.#scan = new AdmittedScan(level, random, false);
  }

  next(): Picked<T> {
    return this.#results[this.#turns.next()]!;
  }

  nextAdmitted(admit: (candidate: T) => boolean): Picked<T> | undefined {
    return this.#scan.pick(this, admit);
  }

  keepTurn(): (() => void) | undefined {
    return this.#turns.keep?.();
  }
}
