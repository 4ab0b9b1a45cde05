import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ejection, type EjectionOptions } from './ejection.ts';

const targets = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `t${i}` }));
const ejection = (given: Partial<EjectionOptions> = {}) =>
  new Ejection({
    failuresInARow: 3,
    baseMs: 1_000,
    maxMs: 8_000,
    maxEjectedRatio: 0.5,
    random: () => 0.5,
    ...given,
  });

test('a failed connect ejects at once, for the base time', () => {
  const e = ejection();
  expect(e.failed('t0', 'connect', 0)).toBe(true);
  expect(e.isEjected('t0', 999)).toBe(true);
  expect(e.isEjected('t0', 1_000)).toBe(false);
  expect(e.nextReturnMs(0)).toBe(1_000);
  expect(e.nextReturnMs(1_000)).toBe(Infinity);
});

test('failed calls eject only in a row', () => {
  const e = ejection();
  expect([e.failed('t0', 'call', 0), e.failed('t0', 'call', 0)]).toEqual([false, false]);
  e.succeeded('t0');
  expect([e.failed('t0', 'call', 0), e.failed('t0', 'call', 0)]).toEqual([false, false]);
  expect(e.failed('t0', 'call', 0)).toBe(true);
});

test('each repeat doubles the time up to the cap; a clean while starts anew', () => {
  const e = ejection();
  const lengths: number[] = [];
  let nowMs = 0;
  for (let repeat = 0; repeat < 5; repeat++) {
    e.failed('t0', 'connect', nowMs);
    lengths.push(e.nextReturnMs(nowMs) - nowMs);
    nowMs = e.nextReturnMs(nowMs);
  }
  expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  nowMs += 8_001;
  e.failed('t0', 'connect', nowMs);
  expect(e.nextReturnMs(nowMs) - nowMs).toBe(1_000);
});

test('failures during an ejection do not prolong it', () => {
  const e = ejection();
  e.failed('t0', 'connect', 0);
  expect(e.failed('t0', 'connect', 500)).toBe(false);
  expect(e.nextReturnMs(500)).toBe(1_000);
});

test('the end is jittered by the given randomness', () => {
  const e = ejection({ random: () => 0 });
  e.failed('t0', 'connect', 0);
  expect(e.nextReturnMs(0)).toBe(900);
});

test('one of one is never left out, two of three may be, all ejected means all used', () => {
  const e = ejection();
  e.failed('t0', 'connect', 0);
  expect(e.admitted(targets(1), 0)).toHaveLength(1);
  expect(e.admitted(targets(2), 0)).toEqual([{ id: 't1' }]);
  e.failed('t1', 'connect', 0);
  expect(e.admitted(targets(3), 0)).toEqual([{ id: 't2' }]);
  expect(e.admitted(targets(2), 0)).toHaveLength(2);
});

test('all ejected, one comes back: it alone is used, as far as the share allows', () => {
  const e = ejection({ maxEjectedRatio: 1 });
  for (const { id } of targets(3)) e.failed(id, 'connect', 0);
  e.failed('t1', 'connect', 1_000);
  e.failed('t2', 'connect', 1_000);
  expect(e.admitted(targets(3), 1_500)).toEqual([{ id: 't0' }]);
});

test('retain forgets those who left', () => {
  const e = ejection();
  e.failed('t0', 'connect', 0);
  e.retain(new Set(['t1']));
  expect(e.isEjected('t0', 1)).toBe(false);
});

test('never more than the share is left out, and always one is used', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.nat(39), { maxLength: 60 }),
      (count, maxEjectedRatio, failing) => {
        const e = ejection({ maxEjectedRatio });
        for (const index of failing) e.failed(`t${index}`, 'connect', 0);
        const used = e.admitted(targets(count), 1).length;
        expect(used).toBeGreaterThanOrEqual(1);
        expect(count - used).toBeLessThanOrEqual(Math.ceil(count * maxEjectedRatio));
      },
    ),
  );
});
