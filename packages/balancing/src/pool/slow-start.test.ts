import type { Endpoint } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../order/policy.ts';
import { countsOf, seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { TargetPool } from './target-pool.ts';

const EJECTION = { failuresInARow: 3, baseMs: 1_000, maxMs: 1_000, maxEjectedRatio: 0.5 };

function endpoint(instance: string, weight = 100): Endpoint {
  const place = { address: '127.0.0.1', port: 80, portName: 'http', protocol: 'TCP' };
  const state = { weight, tier: 0, ready: true, serving: true, terminating: false };
  return { id: `${instance}/http`, instance, ...place, ...state } as Endpoint;
}

const all = (...instances: string[]) => instances.map((instance) => endpoint(instance));

function setUp(slowStartMs: number, policy: Policy = 'round-robin') {
  const time = { nowMs: 5_000 };
  const unfit = new Set<string>();
  const settings = { ejection: EJECTION, slowStartMs };
  const pool = new TargetPool<PoolTarget>(policy, {
    ...settings,
    create: (one) => new PoolTarget(one),
    nowMs: () => time.nowMs,
    random: seededRandom(1),
    isFit: ({ instance }) => !unfit.has(instance),
  });
  const used = (count: number) =>
    countsOf(Array.from({ length: count }, () => pool.pick()?.instance ?? '-'));
  return { pool, time, unfit, used, settings };
}

test('a new target gets a tenth of its weight, and more with every ninth of the time', () => {
  const { pool, time, used } = setUp(9_000);
  pool.setEndpoints(all('a', 'b'));
  expect(used(20)).toEqual({ a: 10, b: 10 });
  pool.setEndpoints(all('a', 'b', 'c'));
  expect(used(210)).toEqual({ a: 100, b: 100, c: 10 });
  time.nowMs += 999;
  expect(pool.isRebuildDue()).toBe(false);
  time.nowMs += 1;
  expect(pool.isRebuildDue()).toBe(true);
  expect(used(220)).toEqual({ a: 100, b: 100, c: 20 });
  time.nowMs += 6_000;
  expect(used(280)).toEqual({ a: 100, b: 100, c: 80 });
  time.nowMs += 2_000;
  expect(used(300)).toEqual({ a: 100, b: 100, c: 100 });
  expect(pool.get('c/http')!.weight).toBe(100);
  time.nowMs += 60_000;
  expect(pool.isRebuildDue()).toBe(false);
});

test('the picker is built ten times, not for every pick', () => {
  const { pool, time } = setUp(1_000);
  pool.setEndpoints(all('a', 'b'));
  pool.state();
  pool.setEndpoints(all('a', 'b', 'c'));
  const pickers = new Set<unknown>();
  for (let at = 0; at < 2_000; at++, time.nowMs++) pickers.add(pool.state().picker);
  expect(pickers.size).toBe(10);
});

test('one that was unhealthy or ejected starts slowly, one that only had failures does not', () => {
  const { pool, time, unfit, used } = setUp(9_000);
  pool.setEndpoints(all('a', 'b'));
  pool.state();
  unfit.add('a');
  pool.invalidate();
  expect(used(10)).toEqual({ b: 10 });
  unfit.clear();
  pool.invalidate();
  expect(used(110)).toEqual({ a: 10, b: 100 });
  time.nowMs += 9_000;
  expect(used(20)).toEqual({ a: 10, b: 10 });
  pool.failed(pool.get('b/http')!, 'call');
  expect(used(20)).toEqual({ a: 10, b: 10 });
  pool.failed(pool.get('b/http')!, 'connect');
  expect(used(10)).toEqual({ a: 10 });
  time.nowMs += 1_100;
  expect(used(110)).toEqual({ a: 100, b: 10 });
});

test('when nobody was there, or nobody was healthy, the first ones start whole', () => {
  const { pool, unfit, used } = setUp(9_000);
  pool.setEndpoints([]);
  pool.state();
  pool.setEndpoints([endpoint('a'), endpoint('b', 50)]);
  expect(used(30)).toEqual({ a: 20, b: 10 });
  unfit.add('a').add('b');
  pool.invalidate();
  expect(used(30)).toEqual({ a: 20, b: 10 });
  unfit.delete('b');
  pool.invalidate();
  expect(used(30)).toEqual({ b: 30 });
  expect(pool.get('b/http')!.weight).toBe(50);
});

test('one that leaves while it starts, and comes back, starts anew; without a slow start nobody does', () => {
  const { pool, time, used, settings } = setUp(9_000);
  pool.setEndpoints(all('a'));
  pool.state();
  pool.setEndpoints(all('a', 'b'));
  pool.state();
  time.nowMs += 5_000;
  pool.setEndpoints(all('a'));
  expect(used(10)).toEqual({ a: 10 });
  pool.setEndpoints(all('a', 'b'));
  expect(used(110)).toEqual({ a: 100, b: 10 });
  pool.configure('round-robin', { ...settings, slowStartMs: 0 });
  expect(used(20)).toEqual({ a: 10, b: 10 });
});

test('a weight of 0 stays one, and weights keep their proportion', () => {
  const { pool, used } = setUp(9_000);
  pool.setEndpoints([endpoint('a', 3), endpoint('b', 0)]);
  pool.state();
  pool.setEndpoints([endpoint('a', 3), endpoint('b', 0), endpoint('c', 1), endpoint('d', 0)]);
  expect(used(310)).toEqual({ a: 300, c: 10 });
});

test('whatever happens and when: at the end of the time all have their weights', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.subarray(['a', 'b', 'c', 'd']), fc.nat(3_000)), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5_000 }),
      (steps, slowStartMs) => {
        const { pool, time } = setUp(slowStartMs);
        for (const [instances, ms] of steps) {
          pool.setEndpoints(all(...instances));
          pool.state();
          for (const { startTenths, weight } of pool.targets()) {
            expect(Number.isInteger(weight) && startTenths >= 1 && startTenths <= 10).toBe(true);
          }
          time.nowMs += ms;
        }
        time.nowMs += slowStartMs + 10_000;
        pool.state();
        for (const { weight } of pool.targets()) expect(weight).toBe(100);
      },
    ),
  );
});
