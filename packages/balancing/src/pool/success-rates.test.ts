import type { Endpoint } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { TargetPool } from './target-pool.ts';

const RATE = { windowMs: 10_000, minRequests: 50, minTargets: 5, factor: 1.9 };
const EJECTION = {
  failuresInARow: 1_000,
  baseMs: 1_000,
  maxMs: 30_000,
  maxEjectedRatio: 0.5,
  successRate: RATE,
};

function setUp(count: number, rate: typeof RATE | null = RATE) {
  const time = { nowMs: 0 };
  const pool = new TargetPool<PoolTarget>('round-robin', {
    create: (one) => new PoolTarget(one),
    ejection: { ...EJECTION, successRate: rate ?? undefined },
    nowMs: () => time.nowMs,
    random: seededRandom(1),
  });
  const place = { address: '127.0.0.1', port: 80, portName: 'http', protocol: 'TCP' };
  const state = { weight: 100, tier: 0, ready: true, serving: true, terminating: false };
  const endpoints = Array.from({ length: count }, (_, i) => {
    return { id: `i${i}`, instance: `i${i}`, ...place, ...state } as Endpoint;
  });
  pool.setEndpoints(endpoints);
  pool.state();
  /** A window in which each target has so many failures among its calls. */
  const pass = (failures: readonly number[], calls = 100) => {
    failures.forEach((failed, i) => {
      const target = pool.get(`i${i}`)!;
      for (let call = 0; call < calls; call++) pool.answered(target, call < failed ? 500 : 200);
    });
    time.nowMs += RATE.windowMs;
    return ejected();
  };
  const ejected = () => {
    const { candidates } = pool.state().picker;
    return [...pool.targets()].filter((one) => !candidates.includes(one)).map(({ id }) => id);
  };
  return { pool, time, pass, ejected };
}

/** Failures of each target: the first `failed` calls fail. */
const one = (failures: number, count: number) => [failures, ...Array<number>(count - 1).fill(0)];

test('the one whose answers are much worse than those of the others is ejected', () => {
  const { pool, time, pass, ejected } = setUp(6);
  expect(pass(one(30, 6))).toEqual(['i0']);
  expect(pool.ejections).toBe(1);
  time.nowMs += 1_100;
  expect(ejected()).toEqual([]);
});

test('nobody is ejected before the window has ended, and each window begins anew', () => {
  const { pool, time, pass, ejected } = setUp(6);
  for (let call = 0; call < 100; call++) pool.answered(pool.get('i0')!, 500);
  time.nowMs = 9_999;
  expect(pool.isRebuildDue()).toBe(false);
  expect(ejected()).toEqual([]);
  time.nowMs = 10_000;
  expect(pool.isRebuildDue()).toBe(true);
  expect(ejected()).toEqual([]);
  expect(pass([0, 0, 0, 0, 0, 0])).toEqual([]);
});

test.each<[string, number, readonly number[], number]>([
  ['too few targets', 4, one(90, 4), 100],
  ['too few requests', 6, one(40, 6), 49],
  ['all are equally bad', 7, Array<number>(7).fill(37), 100],
  ['half of them are bad', 6, [50, 50, 50, 0, 0, 0], 100],
])('nobody is ejected: %s', (_, count, failures, calls) => {
  const { pool, pass } = setUp(count);
  expect(pass(failures, calls)).toEqual([]);
  expect(pool.ejections).toBe(0);
});

test('equal rates stay equal, though their mean is not exact', () => {
  const { pool, pass } = setUp(5, { ...RATE, factor: 0.5 });
  pass([8, 8, 8, 8, 8]);
  expect(pool.ejections).toBe(0);
});

test('without the setting nobody is compared, and it may be set later', () => {
  const { pool, time, pass } = setUp(6, null);
  const withoutRate = pass(one(30, 6));
  expect(withoutRate).toEqual([]);
  pool.configure('round-robin', { ejection: EJECTION });
  time.nowMs += 1;
  expect(pass(one(30, 6))).toEqual(['i0']);
});

test('never more than the largest share, and never those that are at least average', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100), { minLength: 5, maxLength: 12 }),
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      (failures, factor) => {
        const { pass } = setUp(failures.length, { ...RATE, factor });
        const mean = failures.reduce((sum, failed) => sum + failed, 0) / failures.length;
        const ejected = pass(failures);
        expect(ejected.length).toBeLessThanOrEqual(Math.ceil(failures.length * 0.5));
        for (const id of ejected) expect(failures[Number(id.slice(1))]).toBeGreaterThan(mean);
      },
    ),
  );
});
