import type { Candidate } from '../order/candidate.ts';
import type { Picker } from '../order/picker.ts';

/** A candidate whose calls a test counts. */
export interface CountedCandidate extends Candidate {
  inFlight: number;
}

/** A candidate with weight 100 in tier 0 and no calls in progress by default. */
export function candidate(id: string, given: Partial<Candidate> = {}): CountedCandidate {
  return { id, weight: 100, tier: 0, inFlight: 0, ...given };
}

/** A reproducible uniform source (mulberry32), so that a failing distribution can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ids of `count` picks; `-` where none was picked. */
export function picks(
  picker: Picker<Candidate>,
  count: number,
  admit?: (candidate: Candidate) => boolean,
): string[] {
  return Array.from({ length: count }, () => {
    const result = picker.pick(admit === undefined ? undefined : { admit });
    return result.kind === 'picked' ? result.target.id : '-';
  });
}

/** How often each id was picked. */
export function countsOf(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}
