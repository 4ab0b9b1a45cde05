import type { Random } from './order.ts';

/**
 * Draws an index with probability proportional to its weight, in constant time. Walker's alias method, built in O(n) as
 * in M. D. Vose, "A linear algorithm for generating random numbers with a given distribution" (IEEE TSE, 1991).
 */
export class AliasTable {
  readonly #random: Random;
  readonly #threshold: Float64Array;
  readonly #alias: Uint32Array;

  /** `weights`: at least one, none negative, their sum above 0. */
  constructor(weights: readonly number[], random: Random) {
    const count = weights.length;
    this.#random = random;
    this.#threshold = new Float64Array(count);
    this.#alias = new Uint32Array(count);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const scaled = Float64Array.from(weights, (weight) => (weight * count) / sum);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) (scaled[i]! < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#threshold[less] = scaled[less]!;
      this.#alias[less] = more;
      scaled[more] = scaled[more]! + scaled[less]! - 1;
      if (scaled[more] < 1) small.push(large.pop()!);
    }
    for (const rest of [...small, ...large]) this.#threshold[rest] = 1;
  }

  /** One random number serves both draws: its integer part selects the column, its fraction the side. */
  draw(): number {
    const at = this.#random() * this.#threshold.length;
    const column = Math.floor(at);
    return at - column < this.#threshold[column]! ? column : this.#alias[column]!;
  }
}
