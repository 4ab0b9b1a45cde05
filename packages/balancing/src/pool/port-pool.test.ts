import type { Endpoint } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { Affinity } from './affinity.ts';
import { countsOf, seededRandom } from '../testing/fakes.ts';
import { PortPool } from './port-pool.ts';
import { PoolTarget } from './pool-target.ts';
import type { PoolRules } from './pool-snapshot.ts';

const EJECTION = { failuresInARow: 5, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };
const RR: PoolRules = { scheduler: 'rr', affinity: undefined, destination: 'web' };

function endpoint(instance: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    id: `${instance}/http`,
    instance,
    address: '127.0.0.1',
    port: 80,
    portName: 'http',
    protocol: 'TCP',
    containerPort: 80,
    zone: '',
    weight: 100,
    labels: {},
    state: 'up',
    reason: '',
    ready: true,
    serving: true,
    terminating: false,
    tier: 0,
    ...changes,
  };
}
const DRAINING = { ready: false, terminating: true, tier: null } as const;

function setUp(rules: PoolRules = RR) {
  const time = { nowMs: 0 };
  const pool = new PortPool(rules, {
    name: 'default/web',
    create: (one: Endpoint) => new PoolTarget(one),
    ejection: EJECTION,
    nowMs: () => time.nowMs,
    random: seededRandom(1),
  });
  const pick = (count = 1, clientAddress = '10.0.0.1') =>
    Array.from({ length: count }, () => pool.snapshot().pick([], { clientAddress })?.instance);
  return { pool, time, pick };
}

const all = ['a', 'b', 'c'].map((id) => endpoint(id));

test('no endpoints: nobody is picked and it says why', () => {
  const { pool, pick } = setUp();
  expect(pick()).toEqual([undefined]);
  expect(pool.snapshot().explainNone().detail).toBe('default/web has no endpoints');
  pool.setEndpoints([endpoint('a', { ready: false, serving: false, tier: null })], RR);
  expect(pick()).toEqual([undefined]);
  expect(pool.snapshot().explainNone().detail).toContain('none of the 1 endpoints');
});

test('changes that do not touch the mix keep whose turn it is', () => {
  const { pool, pick } = setUp();
  const seen: (string | undefined)[] = [];
  for (let round = 0; round < 300; round++) {
    pool.setEndpoints(
      all.map((one) => ({ ...one, reason: `round ${round}` })),
      RR,
    );
    seen.push(...pick());
  }
  expect(countsOf(seen as string[])).toEqual({ a: 100, b: 100, c: 100 });
});

test('an endpoint keeps its target; another address or instance is another target', () => {
  const { pool } = setUp();
  pool.setEndpoints(all, RR);
  const [a] = [...pool.targets()];
  expect(
    pool.setEndpoints([endpoint('a', { weight: 5 })], RR).map(({ instance }) => instance),
  ).toEqual(['b', 'c']);
  expect([...pool.targets()]).toEqual([a]);
  expect(a!.weight).toBe(5);
  expect(pool.setEndpoints([endpoint('a', { port: 81 })], RR)).toEqual([a]);
  expect([...pool.targets()].map(({ port }) => port)).toEqual([81]);
  expect(pool.snapshot().holds(a)).toBe(false);
});

test('terminating ones take connections only when no ready one is left and while they serve', () => {
  const { pool, pick } = setUp();
  pool.setEndpoints([endpoint('a'), endpoint('b', DRAINING)], RR);
  expect(countsOf(pick(10) as string[])).toEqual({ a: 10 });
  pool.setEndpoints([endpoint('a', DRAINING), endpoint('b', { ...DRAINING, serving: false })], RR);
  expect(countsOf(pick(10) as string[])).toEqual({ a: 10 });
});

test('what cannot be connected to is left out until its time is over', () => {
  const { pool, time, pick } = setUp();
  pool.setEndpoints(all, RR);
  const [a] = [...pool.targets()];
  pool.connectFailed(a!);
  expect(countsOf(pick(20) as string[])).toEqual({ b: 10, c: 10 });
  expect(pool.snapshot().holds(a)).toBe(true);
  time.nowMs = 1_200;
  expect(countsOf(pick(30) as string[])).toEqual({ a: 10, b: 10, c: 10 });
});

test('a failure of one that has left does not eject its successor', () => {
  const { pool, pick } = setUp();
  pool.setEndpoints(all, RR);
  const [a] = [...pool.targets()];
  pool.setEndpoints([endpoint('a', { port: 81 }), endpoint('b')], RR);
  pool.connectFailed(a!);
  expect(countsOf(pick(20) as string[])).toEqual({ a: 10, b: 10 });
});

test('tried ones are not picked again', () => {
  const { pool } = setUp();
  pool.setEndpoints(all, RR);
  const tried: unknown[] = [];
  for (let i = 0; i < 3; i++) tried.push(pool.snapshot().pick(tried));
  expect(new Set(tried).size).toBe(3);
  expect(pool.snapshot().pick(tried)).toBeUndefined();
});

test('sh binds by the address of the client, dh by the destination', () => {
  const { pool, pick } = setUp({ ...RR, scheduler: 'sh' });
  pool.setEndpoints(all, { ...RR, scheduler: 'sh' });
  expect(new Set(pick(50)).size).toBe(1);
  const clients = Array.from({ length: 60 }, (_, i) => pick(1, `10.0.0.${i}`)[0]);
  expect(new Set(clients).size).toBe(3);
  pool.setEndpoints(all, { ...RR, scheduler: 'dh' });
  expect(new Set(Array.from({ length: 60 }, (_, i) => pick(1, `10.0.0.${i}`)[0])).size).toBe(1);
});

const bound = () => ({
  ...RR,
  affinity: new Affinity({ durationMs: 10_000, maxClients: 1_000 }),
});

test('a bound client stays, others are spread; it moves when its endpoint goes and stays there', () => {
  const rules = bound();
  const { pool, pick } = setUp(rules);
  pool.setEndpoints(all, rules);
  const [first] = pick();
  expect(new Set(pick(20))).toEqual(new Set([first]));
  expect(new Set(Array.from({ length: 9 }, (_, i) => pick(1, `10.1.0.${i}`)[0])).size).toBe(3);
  const rest = all.filter(({ instance }) => instance !== first);
  pool.setEndpoints(rest, rules);
  const [second] = pick();
  expect(second).not.toBe(first);
  pool.setEndpoints(all, rules);
  expect(new Set(pick(20))).toEqual(new Set([second]));
});

test('a bond moves off what cannot be connected to, is suspect, or was just tried', () => {
  const rules = bound();
  const { pool, pick } = setUp(rules);
  pool.setEndpoints(all, rules);
  const member = pool.snapshot().pick([], { clientAddress: 'x' })!;
  const other = pool.snapshot().pick([member], { clientAddress: 'x' })!;
  expect(other).not.toBe(member);
  expect(pick(1, 'x')).toEqual([other.instance]);
  pool.connectFailed(other);
  const [third] = pick(1, 'x');
  expect(third).not.toBe(other.instance);
  pool.setEndpoints(
    all.map((one) => (one.instance === third ? { ...one, tier: 1 as const } : one)),
    rules,
  );
  expect(pick(1, 'x')).not.toEqual([third]);
});

test('the ports of a service share the bonds', () => {
  const rules = bound();
  const http = setUp(rules);
  const admin = setUp(rules);
  http.pool.setEndpoints(all, rules);
  admin.pool.setEndpoints(
    ['a', 'b', 'c'].map((id) => endpoint(id, { id: `${id}/admin`, port: 81 })),
    rules,
  );
  for (let client = 0; client < 30; client++) {
    const address = `10.2.0.${client}`;
    expect(admin.pick(1, address)).toEqual(http.pick(1, address));
  }
});
