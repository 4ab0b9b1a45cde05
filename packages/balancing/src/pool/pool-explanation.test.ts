import type { Endpoint } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { POLICIES, type Policy } from '../order/policy.ts';
import { seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { TargetPool } from './target-pool.ts';

const EJECTION = { failuresInARow: 2, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };
const CONDITIONS = {
  up: { tier: 0, serving: true, terminating: false },
  down: { tier: null, serving: false, terminating: false },
  draining: { tier: null, serving: true, terminating: true },
  suspect: { tier: 1, serving: true, terminating: false },
} as const;

function endpoint(instance: string, state: keyof typeof CONDITIONS, weight = 100): Endpoint {
  const place = { address: '127.0.0.1', port: 80, portName: 'http' };
  const conditions = { state, weight, ...CONDITIONS[state] };
  return { id: `${instance}/http`, instance, ...place, ...conditions } as Endpoint;
}

function poolOf(policy: Policy, endpoints: readonly Endpoint[], unfit: readonly string[] = []) {
  const pool = new TargetPool<PoolTarget>(policy, {
    create: (one) => new PoolTarget(one),
    ejection: EJECTION,
    nowMs: () => 0,
    random: seededRandom(1),
    isFit: ({ instance }) => !unfit.includes(instance),
  });
  pool.setEndpoints(endpoints);
  return pool;
}

const refusals = (pool: TargetPool<PoolTarget>, admit?: (target: PoolTarget) => boolean) =>
  Object.fromEntries(
    pool.explain(admit).targets.map(({ target, refusal }) => [target.instance, refusal]),
  );

test('each that is not picked has a reason of its own', () => {
  const states = ['up', 'up', 'up', 'up', 'suspect', 'draining', 'down'] as const;
  const endpoints = states.map((state, at) => endpoint('abcdefg'.charAt(at), state));
  const pool = poolOf('rr', [...endpoints, endpoint('h', 'up', 0)], ['b']);
  pool.failed(pool.get('c/http')!, 'connect', 'connect ECONNREFUSED');
  const others = { e: 'suspect', f: 'draining', g: 'down', h: 'no_weight' };
  expect(refusals(pool)).toEqual({ b: 'unfit', c: 'ejected', ...others });
  const one = (target: PoolTarget) => target.instance === 'a';
  expect(refusals(pool, one)).toEqual(
    Object.fromEntries(Array.from('bcdefgh', (id) => [id, 'filtered'])),
  );
  const ejected = pool.explain().targets.find(({ target }) => target.instance === 'c');
  expect(ejected).toMatchObject({
    ejection: { kind: 'connect' },
    target: { lastFailure: 'connect ECONNREFUSED' },
  });
  expect(ejected?.ejection?.leftMs).toBeGreaterThan(890);
});

test('the last ones left are used, whatever is said against them', () => {
  const ejected = poolOf('rr', [endpoint('a', 'up')]);
  ejected.failed(ejected.get('a/http')!, 'connect');
  expect(ejected.explain()).toMatchObject({
    next: { instance: 'a' },
    targets: [{ refusal: undefined, ejection: { kind: 'connect' } }],
  });
  expect(refusals(poolOf('rr', [endpoint('a', 'draining'), endpoint('b', 'down')]))).toEqual({
    a: undefined,
    b: 'down',
  });
  expect(refusals(poolOf('rr', [endpoint('a', 'suspect')], ['a']))).toEqual({ a: undefined });
});

const Endpoints = fc.array(
  fc.record({
    state: fc.constantFrom('up', 'down', 'draining', 'suspect'),
    weight: fc.constantFrom(0, 1, 3),
    isFit: fc.boolean(),
    failures: fc.integer({ min: 0, max: 2 }),
    isAdmitted: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

test('what is explained is what is picked: all of those, and no others, and in their turn', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(POLICIES) as Policy[])),
      Endpoints,
      fc.boolean(),
      (policy, given, isFiltered) => {
        const named = given.map((one, at) => ({ ...one, name: `i${at}` }));
        const unfit = named.filter(({ isFit }) => !isFit).map(({ name }) => name);
        const endpoints = named.map(({ name, state, weight }) => endpoint(name, state, weight));
        const pool = poolOf(policy, endpoints, unfit);
        for (const { name, failures } of named)
          for (let n = 0; n < failures; n++) pool.failed(pool.get(`${name}/http`)!, 'call');
        const refused = named.filter(({ isAdmitted }) => !isAdmitted).map(({ name }) => name);
        const admit = isFiltered
          ? ({ instance }: PoolTarget) => !refused.includes(instance)
          : undefined;
        const { targets } = pool.explain(admit);
        const open = targets.filter(({ refusal }) => refusal === undefined);
        const picked = new Set<PoolTarget>();
        const isTurn = policy === 'rr' || policy === 'wrr' || policy === 'round-robin';
        for (let n = 0; n < 300; n++) {
          const { next } = pool.explain(admit);
          const target = pool.pick(admit === undefined ? undefined : { admit });
          // A walk over the refused ones starts at a random place.
          if (isTurn && !isFiltered) expect(target).toBe(next);
          if (target !== undefined) picked.add(target);
        }
        const mayPick = new Set(open.map(({ target }) => target));
        // While all are idle, the expected delay is the least at the heaviest ones.
        if (policy === 'sed') expect([...picked].every((one) => mayPick.has(one))).toBe(true);
        else expect(picked).toEqual(mayPick);
      },
    ),
    { numRuns: 200 },
  );
});
