import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { POLICIES, type Policy } from '../order/policy.ts';
import { candidate, countsOf, picks, seededRandom } from '../testing/fakes.ts';
import { createPicker } from './leveled-picker.ts';

const policies = Object.keys(POLICIES) as Policy[];
const random = () => seededRandom(7);

describe.each(policies)('%s', (policy) => {
  test('an empty snapshot picks nobody and says so', () => {
    const picker = createPicker(policy, [], { random: random() });
    expect(picker.pick()).toEqual({ kind: 'none', reason: 'empty' });
    expect(picker.pick({ admit: () => true })).toEqual({ kind: 'none', reason: 'empty' });
  });

  test('tier 1 is used only when no tier 0 is admitted', () => {
    const all = [
      candidate('a', { inFlight: 50 }),
      candidate('b', { inFlight: 50 }),
      candidate('s', { tier: 1 }),
    ];
    const picker = createPicker(policy, all, { random: random() });
    expect(countsOf(picks(picker, 200))).not.toHaveProperty('s');
    expect(countsOf(picks(picker, 200, ({ id }) => id !== 'a'))).toEqual({ b: 200 });
    expect(countsOf(picks(picker, 20, ({ tier }) => tier === 1))).toEqual({ s: 20 });
  });

  test('only tier 1 left: it is used', () => {
    const picker = createPicker(policy, [candidate('s', { tier: 1 })], { random: random() });
    expect(picks(picker, 2)).toEqual(['s', 's']);
  });

  test('weight 0 takes no calls while another has weight, and all 0 is all equal', () => {
    const rest = candidate('rest', { weight: 0 });
    const one = createPicker(policy, [rest, candidate('a', { weight: 1 })], { random: random() });
    expect(countsOf(picks(one, 100))).toEqual({ a: 100 });
    const none = createPicker(policy, [rest, candidate('other', { weight: 0 })], {
      random: random(),
    });
    const counts = countsOf(picks(none, 400));
    expect(counts['rest']).toBeGreaterThan(150);
    expect(counts['other']).toBeGreaterThan(150);
  });

  test('admit refusing everyone gives none_admitted, one left is found among many', () => {
    const all = Array.from({ length: 500 }, (_, i) => candidate(`c${i}`));
    const picker = createPicker(policy, all, { random: random() });
    expect(picker.pick({ admit: () => false })).toEqual({ kind: 'none', reason: 'none_admitted' });
    expect(picks(picker, 3, ({ id }) => id === 'c377')).toEqual(['c377', 'c377', 'c377']);
  });

  test('all down, one recovers: it gets every call', () => {
    const all = ['a', 'b', 'c'].map((id) => candidate(id));
    const picker = createPicker(policy, all, { random: random() });
    const up = new Set<string>();
    const admit = ({ id }: { id: string }) => up.has(id);
    expect(picks(picker, 2, admit)).toEqual(['-', '-']);
    up.add('b');
    expect(picks(picker, 5, admit)).toEqual(['b', 'b', 'b', 'b', 'b']);
  });

  test('the same result object is handed out for a target: a pick allocates nothing', () => {
    const picker = createPicker(policy, [candidate('a')], { random: random() });
    expect(picker.pick()).toBe(picker.pick());
  });

  test('a weight that is no number is refused by name', () => {
    expect(() =>
      createPicker(policy, [candidate('a', { weight: Number.NaN })], { random: random() }),
    ).toThrow('candidate a has weight NaN');
  });

  // `rr` and `lc` do not look at them, and to `sed` the heaviest of those idle is the fastest.
  test.skipIf(/^(rr|lc|sed)$/.test(policy))(
    'the calls of an idle service follow the weights',
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 }),
          fc.integer(),
          (weights, seed) => {
            const all = weights.map((weight, i) => candidate(`c${i}`, { weight }));
            const picker = createPicker(policy, all, { random: seededRandom(seed) });
            const rounds = 20_000;
            const counts = countsOf(picks(picker, rounds));
            const sum = weights.reduce((a, b) => a + b, 0);
            weights.forEach((weight, i) => {
              const share = weight / sum;
              // Six standard deviations of a draw, and one cycle's worth for turns.
              const slack = 6 * Math.sqrt(rounds * share * (1 - share)) + 2;
              const count = counts[`c${i}`] ?? 0;
              expect(Math.abs(count - rounds * share)).toBeLessThanOrEqual(slack);
            });
          },
        ),
        { numRuns: 60 },
      );
    },
  );
});

test('round-robin gives exact turns, in order, from a random start', () => {
  const all = ['a', 'b', 'c'].map((id) => candidate(id));
  const ids = picks(createPicker('round-robin', all, { random: random() }), 300).join('');
  expect(ids).toMatch(/^(abc|bca|cab){100}$/);
});

test('weighted turns are exact in each cycle and lie evenly', () => {
  const all = [candidate('a', { weight: 500 }), candidate('b'), candidate('c')];
  const ids = picks(createPicker('round-robin', all, { random: () => 0 }), 7);
  expect(countsOf(ids)).toEqual({ a: 5, b: 1, c: 1 });
  expect(ids.join('')).not.toContain('aaaa');
});

test.each(['p2c', 'least-outstanding'] as const)('%s levels out calls that never end', (policy) => {
  const counts = [3, 50, 1_000];
  for (const count of counts) {
    const all = Array.from({ length: count }, (_, i) => candidate(`c${i}`));
    const picker = createPicker(policy, all, { random: seededRandom(count) });
    for (let call = 0; call < count * 20; call++) {
      const result = picker.pick();
      if (result.kind === 'picked') result.target.inFlight++;
    }
    const loads = all.map((one) => one.inFlight);
    expect(Math.max(...loads)).toBeLessThanOrEqual(20 + 4);
    expect(Math.min(...loads)).toBeGreaterThanOrEqual(20 - 8);
  }
});

test.each(['p2c', 'least-outstanding'] as const)('%s keeps calls in flight by weight', (policy) => {
  const all = [candidate('light', { weight: 50 }), candidate('heavy', { weight: 150 })];
  const picker = createPicker(policy, all, { random: seededRandom(3) });
  for (let call = 0; call < 400; call++) {
    const result = picker.pick();
    if (result.kind === 'picked') result.target.inFlight++;
  }
  expect(all[0]!.inFlight).toBeGreaterThan(90);
  expect(all[0]!.inFlight).toBeLessThan(110);
});

test('least-outstanding finds the idlest target of 24, and ties go by turn', () => {
  const all = Array.from({ length: 24 }, (_, i) => candidate(`c${i}`, { inFlight: 3 }));
  all[17]!.inFlight = 2;
  const picker = createPicker('least-outstanding', all, { random: random() });
  expect(countsOf(picks(picker, 50))).toEqual({ c17: 50 });
  const idle = ['a', 'b'].map((id) => candidate(id));
  const turns = picks(createPicker('least-outstanding', idle, { random: () => 0 }), 4);
  expect(turns).toEqual(['a', 'b', 'a', 'b']);
});
