import type { Random } from './order.ts';
import { AliasTable } from './alias-table.ts';

/** Number of slots in the longest schedule; weights with a larger reduced sum are drawn at random instead. */
const MAX_SLOTS = 4_096;

/** Yields indexes in weighted turn. */
export interface Turns {
  next(): number;
  /** Keeps the turn: the returned function puts it back. Absent where there is none. */
  keep?(): () => void;
}

/**
 * Weighted turns over a precomputed cycle: with weights divided by their greatest common divisor, an index of
 * weight w has its k-th of w slots at (k + 1/2) / w of the cycle, so that its turns are evenly spaced. A cycle of
 * more than 4,096 slots would cost too much to rebuild for each change: such weights are drawn from an alias table,
 * exact on average but not in turn.
 *
 * A cycle starts at a random slot, so that frequently replaced snapshots do not favour the first candidate.
 */
export function createTurns(weights: readonly number[], random: Random): Turns {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const slots = weights.reduce((total, weight) => total + weight / divisor, 0);
  const isEqual = slots === weights.length;
  if (slots > MAX_SLOTS && !isEqual) {
    const table = new AliasTable(weights, random);
    return { next: () => table.draw() };
  }
  const schedule = isEqual ? Uint32Array.from(weights.keys()) : scheduleOf(weights, divisor);
  return new Cycle(schedule, random);
}

function scheduleOf(weights: readonly number[], divisor: number): Uint32Array {
  const slots: { at: number; index: number }[] = [];
  weights.forEach((weight, index) => {
    const turns = weight / divisor;
    for (let k = 0; k < turns; k++) slots.push({ at: (k + 0.5) / turns, index });
  });
  slots.sort((a, b) => a.at - b.at || a.index - b.index);
  return Uint32Array.from(slots, (slot) => slot.index);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

class Cycle implements Turns {
  readonly #schedule: Uint32Array;
  #cursor: number;

  constructor(schedule: Uint32Array, random: Random) {
    this.#schedule = schedule;
    this.#cursor = Math.floor(random() * schedule.length);
  }

  next(): number {
    const cursor = this.#cursor;
    this.#cursor = cursor + 1 === this.#schedule.length ? 0 : cursor + 1;
    return this.#schedule[cursor]!;
  }

  keep(): () => void {
    const cursor = this.#cursor;
    return () => {
      this.#cursor = cursor;
    };
  }
}
