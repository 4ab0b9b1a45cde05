import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate } from './candidate.ts';
import { hashOf } from './hash.ts';
import { createPicker } from '../picker/leveled-picker.ts';
import type { Picker } from './picker.ts';
import { type Policy, POLICIES } from './policy.ts';
import {
  type CountedCandidate,
  candidate,
  countsOf,
  picks,
  seededRandom,
} from '../testing/fakes.ts';

const schedulers = Object.keys(POLICIES) as Policy[];

const pickerOf = (scheduler: Policy, all: readonly CountedCandidate[], seed = 7) =>
  createPicker(scheduler, all, { random: seededRandom(seed) });

/** Opens so many connections and closes none. */
function open(picker: Picker<CountedCandidate>, count: number): void {
  for (let i = 0; i < count; i++) {
    const result = picker.pick();
    if (result.kind === 'picked') result.target.inFlight++;
  }
}

const some = fc.array(
  fc.record({
    weight: fc.integer({ min: 1, max: 100 }),
    inFlight: fc.integer({ min: 0, max: 50 }),
  }),
  { minLength: 1, maxLength: 40 },
);
const candidates = some.map((all) => all.map((given, at) => candidate(`c${at}`, given)));

describe.each(schedulers)('%s', (scheduler) => {
  test('tier 1 and weight 0 are used only when nothing else is left', () => {
    const all = [
      candidate('suspect', { tier: 1 }),
      candidate('resting', { weight: 0 }),
      candidate('a', { inFlight: 9 }),
    ];
    const picker = pickerOf(scheduler, all);
    expect(countsOf(picks(picker, 30))).toEqual({ a: 30 });
    expect(countsOf(picks(picker, 30, ({ id }) => id !== 'a'))).toEqual({ resting: 30 });
    expect(countsOf(picks(picker, 30, ({ tier }) => tier === 1))).toEqual({ suspect: 30 });
    expect(picks(pickerOf(scheduler, []), 1)).toEqual(['-']);
  });

  test('one that is refused is never picked, and one that is admitted is always found', () => {
    fc.assert(
      fc.property(candidates, fc.nat(), fc.integer(), (all, at, seed) => {
        const only = all[at % all.length]!.id;
        const picker = pickerOf(scheduler, all, seed);
        expect(picks(picker, 3, ({ id }) => id === only)).toEqual([only, only, only]);
        if (all.length > 1) expect(picks(picker, 3, ({ id }) => id !== only)).not.toContain(only);
      }),
    );
  });
});

test.each(['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq'] as const)(
  '%s shares 1,000 connections over 3 evenly',
  (scheduler) => {
    const all = ['a', 'b', 'c'].map((id) => candidate(id));
    open(pickerOf(scheduler, all), 1_000);
    for (const { inFlight } of all) expect(Math.abs(inFlight - 1_000 / 3)).toBeLessThan(1);
  },
);

test('rr and lc do not look at weights, wrr, wlc and sed do', () => {
  const shares = (scheduler: Policy) => {
    const all = [candidate('a', { weight: 300 }), candidate('b', { weight: 100 })];
    open(pickerOf(scheduler, all), 400);
    return all.map(({ inFlight }) => inFlight);
  };
  expect(shares('rr')).toEqual([200, 200]);
  expect(shares('lc')).toEqual([200, 200]);
  expect(shares('wrr')).toEqual([300, 100]);
  expect(shares('wlc')).toEqual([300, 100]);
  expect(shares('sed')).toEqual([300, 100]);
});

test.each([
  ['lc', () => 1, 0],
  ['wlc', ({ weight }: Candidate) => weight, 0],
  ['sed', ({ weight }: Candidate) => weight, 1],
] as const)('%s picks the least of all', (scheduler, weightOf, ahead) => {
  fc.assert(
    fc.property(candidates, fc.integer(), (all, seed) => {
      const load = (one: Candidate) => (one.inFlight + ahead) / weightOf(one);
      const result = pickerOf(scheduler, all, seed).pick();
      const least = Math.min(...all.map(load));
      expect(result.kind === 'picked' && load(result.target)).toBeCloseTo(least, 10);
    }),
  );
});

test('nq gives an idle one the next connection, however light; sed waits for the heavy one', () => {
  const all = [
    candidate('heavy', { weight: 1_000, inFlight: 5 }),
    candidate('light', { weight: 1 }),
  ];
  expect(countsOf(picks(pickerOf('nq', all), 20))).toEqual({ light: 20 });
  expect(countsOf(picks(pickerOf('sed', all), 20))).toEqual({ heavy: 20 });
});

describe.each(['sh', 'dh'] as const)('%s', (scheduler) => {
  const owners = (all: readonly CountedCandidate[], count = 3_000) => {
    const picker = pickerOf(scheduler, all);
    return Array.from({ length: count }, (_, client) => {
      const result = picker.pick({ hash: hashOf(`10.0.${client >> 8}.${client & 255}`) });
      return result.kind === 'picked' ? result.target.id : '-';
    });
  };

  test('the same hash goes to the same one, and spreads by weight', () => {
    const all = [candidate('a', { weight: 200 }), candidate('b'), candidate('c')];
    expect(owners(all)).toEqual(owners(all.toReversed()));
    const counts = countsOf(owners(all));
    expect(counts['a']).toBeGreaterThan(1_350);
    expect(counts['a']).toBeLessThan(1_650);
    expect(counts['b']).toBeGreaterThan(650);
    expect(counts['c']).toBeGreaterThan(650);
  });

  test('when one leaves only its own callers move', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((id) => candidate(id));
    const before = owners(all);
    const after = owners(all.filter(({ id }) => id !== 'c'));
    before.forEach((id, at) => {
      if (id !== 'c') expect(after[at]).toBe(id);
    });
    expect(Object.keys(countsOf(after))).toHaveLength(4);
  });
});
