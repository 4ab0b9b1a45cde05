import type { Endpoint } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { countsOf, seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { TargetPool, type TargetPoolOptions } from './target-pool.ts';

const EJECTION = { failuresInARow: 3, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };

function endpoint(instance: string, changes: Partial<Endpoint> = {}): Endpoint {
  const place = { address: '127.0.0.1', port: 80, portName: 'http', protocol: 'TCP' };
  const state = { weight: 100, tier: 0, ready: true, serving: true, terminating: false };
  return { id: `${instance}/http`, instance, ...place, ...state, ...changes } as Endpoint;
}

function setUp(options: Partial<TargetPoolOptions<PoolTarget>> = {}) {
  const time = { nowMs: 0 };
  const pool = new TargetPool<PoolTarget>('rr', {
    create: (one) => new PoolTarget(one),
    ejection: EJECTION,
    nowMs: () => time.nowMs,
    random: seededRandom(1),
    ...options,
  });
  const target = (instance: string) => pool.get(`${instance}/http`)!;
  const used = (count = 12) =>
    countsOf(Array.from({ length: count }, () => pool.pick()?.instance ?? '-'));
  return { pool, time, target, used };
}

const all = ['a', 'b', 'c'].map((instance) => endpoint(instance));

test('those that are not fit are left out; when nobody is, all are used', () => {
  const unfit = new Set<string>();
  const { pool, used } = setUp({ isFit: ({ instance }) => !unfit.has(instance) });
  pool.setEndpoints(all);
  expect(used()).toEqual({ a: 4, b: 4, c: 4 });
  unfit.add('a');
  pool.invalidate();
  expect(used()).toEqual({ b: 6, c: 6 });
  unfit.add('b').add('c');
  pool.invalidate();
  expect(pool.state().isFailOpen).toBe(true);
  expect(used()).toEqual({ a: 4, b: 4, c: 4 });
});

test('answers of 500 in a row eject, one that is none begins the row anew', () => {
  const { pool, time, target, used } = setUp();
  pool.setEndpoints(all);
  for (const status of [500, 503, 200, 500, 502]) pool.answered(target('a'), status);
  expect(pool.ejections).toBe(0);
  expect(pool.answered(target('a'), 500)).toBe(true);
  expect([pool.ejections, pool.isEjected(target('a'))]).toEqual([1, true]);
  expect(used()).toEqual({ b: 6, c: 6 });
  time.nowMs = 1_200;
  expect(pool.isRebuildDue()).toBe(true);
  expect(used()).toEqual({ a: 4, b: 4, c: 4 });
});

test('answers of 500 are answers where they do not count', () => {
  const { pool, target } = setUp({ ejection: { ...EJECTION, serverErrors: false } });
  pool.setEndpoints(all);
  for (let i = 0; i < 9; i++) pool.answered(target('a'), 500);
  expect(pool.ejections).toBe(0);
});

test('what is heard of one that has left says nothing about its successor', () => {
  const { pool, target } = setUp();
  pool.setEndpoints(all);
  const before = target('a');
  before.begin();
  expect(pool.setEndpoints([endpoint('a', { port: 81 }), endpoint('b')])).toEqual([
    before,
    expect.anything(),
  ]);
  expect(target('a')).not.toBe(before);
  pool.failed(target('a'), 'call');
  pool.failed(target('a'), 'call');
  pool.succeeded(before);
  expect(pool.failed(before, 'connect')).toBe(false);
  expect([before.inFlight, target('a').inFlight]).toEqual([1, 0]);
  expect(pool.failed(target('a'), 'call')).toBe(true);
});

test('one that its owner is done with is replaced where it stands', () => {
  const { pool, target } = setUp({ isDone: (_, { weight }) => weight === 7 });
  pool.setEndpoints(all);
  const [before, other] = [target('a'), target('b')];
  expect(
    pool.setEndpoints([endpoint('a', { weight: 7 }), endpoint('b', { weight: 8 })]),
  ).toHaveLength(2);
  expect(target('a')).not.toBe(before);
  expect(target('b')).toBe(other);
  expect(other.weight).toBe(8);
});

test('a state is the same one until something changes, and a picker until its mix does', () => {
  const { pool, target } = setUp();
  pool.setEndpoints(all);
  const { picker } = pool.state();
  expect(pool.state()).toBe(pool.state());
  pool.setEndpoints(all.map((one) => ({ ...one, reason: 'another' })));
  expect(pool.state().picker).toBe(picker);
  pool.failed(target('c'), 'connect');
  expect(pool.state().picker).not.toBe(picker);
  pool.setEndpoints(all, 'random');
  expect(pool.state().picker.candidates).toHaveLength(2);
});

test('other rules under way: what is known of the targets stays', () => {
  const { pool, time, target, used } = setUp();
  pool.setEndpoints(all);
  pool.failed(target('a'), 'connect');
  pool.failed(target('b'), 'call');
  pool.failed(target('b'), 'call');
  const before = [...pool.targets()];
  pool.configure('random', {
    ejection: { ...EJECTION, failuresInARow: 3, baseMs: 5_000, serverErrors: false },
  });
  expect([...pool.targets()]).toEqual(before);
  expect(used()).not.toHaveProperty('a');
  expect(pool.answered(target('b'), 500)).toBe(false);
  pool.failed(target('b'), 'call');
  pool.failed(target('b'), 'call');
  expect(pool.failed(target('b'), 'call')).toBe(true);
  time.nowMs = 2_000;
  expect([pool.isEjected(target('a')), pool.isEjected(target('b'))]).toEqual([false, true]);
});
