import type { Endpoint } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { countsOf, seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { TargetPool } from './target-pool.ts';

const EJECTION = { failuresInARow: 3, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };

function endpoint(instance: string, zone: string, changes: Partial<Endpoint> = {}): Endpoint {
  const place = { address: '127.0.0.1', port: 80, portName: 'http', protocol: 'TCP', zone };
  const state = { weight: 100, tier: 0, ready: true, serving: true, terminating: false };
  const all = { id: instance, instance, state: 'up', ...place, ...state, ...changes };
  return all as Endpoint;
}

function poolOf(...endpoints: Endpoint[]) {
  const pool = new TargetPool<PoolTarget>('round-robin', {
    create: (one) => new PoolTarget(one),
    ejection: EJECTION,
    nearZone: { zone: 'near', spillBelow: 0.7 },
    nowMs: () => 0,
    random: seededRandom(1),
  });
  pool.setEndpoints(endpoints);
  return pool;
}

const used = (pool: TargetPool<PoolTarget>, admit?: (target: PoolTarget) => boolean) =>
  countsOf(Array.from({ length: 12 }, () => pool.pick({ admit })?.id ?? '-'));

test('near ones come first, far ones when the near ones are refused', () => {
  const pool = poolOf(endpoint('a', 'near'), endpoint('b', 'near'), endpoint('c', 'far'));
  expect(used(pool)).toEqual({ a: 6, b: 6 });
  expect(used(pool, ({ id }) => id === 'c')).toEqual({ c: 12 });
  const refusals = pool.explain().targets.map(({ target, refusal }) => [target.id, refusal]);
  expect(Object.fromEntries(refusals)).toEqual({ a: undefined, b: undefined, c: 'other_zone' });
});

test('a far one of tier 0, or with a weight, comes before a near one without', () => {
  expect(used(poolOf(endpoint('a', 'near', { tier: 1 }), endpoint('b', 'far')))).toEqual({ b: 12 });
  expect(used(poolOf(endpoint('a', 'near', { weight: 0 }), endpoint('b', 'far')))).toEqual({
    b: 12,
  });
});

test('ejected near ones count as missing', () => {
  const near = ['a', 'b', 'c'].map((id) => endpoint(id, 'near'));
  const pool = poolOf(...near, endpoint('d', 'far'));
  expect(used(pool)).toEqual({ a: 4, b: 4, c: 4 });
  pool.failed(pool.get('a')!, 'connect');
  expect(used(pool)).toEqual({ b: 4, c: 4, d: 4 });
});

test('without any near one zones do not matter', () => {
  expect(used(poolOf(endpoint('a', 'far'), endpoint('b', 'farther')))).toEqual({ a: 6, b: 6 });
});

test('the preference may change, and a new picture keeps the turns', () => {
  const endpoints = [endpoint('a', 'near'), endpoint('b', 'far')];
  const pool = poolOf(...endpoints);
  const { picker } = pool.state();
  pool.setEndpoints(endpoints);
  expect(pool.state().picker).toBe(picker);
  pool.configure('round-robin', { ejection: EJECTION, nearZone: { zone: 'far', spillBelow: 0.7 } });
  expect(used(pool)).toEqual({ b: 12 });
  pool.configure('round-robin', { ejection: EJECTION });
  expect(used(pool)).toEqual({ a: 6, b: 6 });
});
