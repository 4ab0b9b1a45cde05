import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { memoryHarness, redisHarness, type StoreHarness } from '../testing/store-harness.ts';
import type { Claim, PoolName } from './record.ts';
import type { ClaimRequest, PutItem, PutOutcome, Store } from './store.ts';

const POOLS = {
  clusterIps: { first: 1_000, last: 1_009, reserved: 4 },
  nodePorts: { first: 30_000, last: 30_004, reserved: 2 },
};
const drivers = { memory: memoryHarness, redis: redisHarness(inject('redisUrl')) };

const any = (pool: PoolName): ClaimRequest => ({ pool, number: undefined });
const certain = (pool: PoolName, number: number): ClaimRequest => ({ pool, number });
const itemOf = (name: string, claims: readonly ClaimRequest[], over: Partial<PutItem> = {}) => ({
  key: `service/default/${name}`,
  value: '{}',
  forMs: 0,
  why: 'created' as const,
  claims,
  ...over,
});
const put = (store: Store, items: readonly PutItem[], dryRun = false) =>
  store.put({ items, pools: POOLS, dryRun, floor: 0 });
const numbersOf = (outcome: PutOutcome) => {
  if (outcome.kind !== 'put') throw new Error(`refused: ${outcome.kind}`);
  return outcome.resources.map(({ claims }) => claims.map(({ number }) => number));
};

describe.each(Object.entries(drivers))('claims on %s', (_, create) => {
  let harness: StoreHarness;
  let store: Store;
  beforeEach(async () => {
    harness = await create();
    store = harness.store;
  });
  afterEach(() => harness.close());

  test('free numbers are given in turn, the reserved ones last, and never twice', async () => {
    const given: number[] = [];
    for (let i = 0; i < 10; i++) {
      const [numbers = []] = numbersOf(await put(store, [itemOf(`s${i}`, [any('clusterIps')])]));
      given.push(...numbers);
    }
    expect(given).toEqual([1_004, 1_005, 1_006, 1_007, 1_008, 1_009, 1_000, 1_001, 1_002, 1_003]);
    expect(await put(store, [itemOf('late', [any('clusterIps')])])).toEqual({
      kind: 'exhausted',
      index: 0,
      claim: 0,
    });
  });

  test('one that was released is not the next to be given, but is given again in the end', async () => {
    numbersOf(await put(store, [itemOf('a', [any('nodePorts')])]));
    await store.remove({ key: 'service/default/a', floor: 0 });
    const given = [];
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      given.push(...numbersOf(await put(store, [itemOf(name, [any('nodePorts')])])).flat());
    }
    expect(given).toEqual([30_003, 30_004, 30_002, 30_000, 30_001]);
  });

  test('a certain number has one owner, who is named to the next', async () => {
    numbersOf(await put(store, [itemOf('a', [certain('nodePorts', 30_001)])]));
    expect(await put(store, [itemOf('b', [certain('nodePorts', 30_001)])])).toEqual({
      kind: 'taken',
      index: 0,
      claim: 0,
      owner: 'service/default/a',
    });
    const again = itemOf('a', [certain('nodePorts', 30_001)], { why: 'configured' });
    expect(numbersOf(await put(store, [again]))).toEqual([[30_001]]);
  });

  test('what a put does not claim again is released', async () => {
    numbersOf(await put(store, [itemOf('a', [any('clusterIps'), any('nodePorts')])]));
    numbersOf(await put(store, [itemOf('a', [certain('clusterIps', 1_004)])]));
    const [resource] = (await store.snapshot()).resources;
    expect(resource?.claims).toEqual([{ pool: 'clusterIps', number: 1_004 }]);
    expect(numbersOf(await put(store, [itemOf('b', [certain('nodePorts', 30_002)])]))).toEqual([
      [30_002],
    ]);
  });

  test('all are written or none, and a certain wish comes before chance', async () => {
    const items = [itemOf('a', [any('nodePorts')]), itemOf('b', [certain('nodePorts', 30_002)])];
    expect(numbersOf(await put(store, items))).toEqual([[30_003], [30_002]]);
    const bad = [itemOf('c', [any('nodePorts')]), itemOf('d', [certain('nodePorts', 30_002)])];
    expect(await put(store, bad)).toMatchObject({ kind: 'taken', index: 1, claim: 0 });
    const { resources } = await store.snapshot();
    expect(resources.map(({ key }) => key).toSorted()).toEqual([
      'service/default/a',
      'service/default/b',
    ]);
    expect(numbersOf(await put(store, [itemOf('c', [any('nodePorts')])]))).toEqual([[30_004]]);
  });

  test('a dry run says what would come of it and changes nothing', async () => {
    const items = [itemOf('a', [any('clusterIps')])];
    expect(numbersOf(await put(store, items, true))).toEqual([[1_004]]);
    expect((await store.snapshot()).resources).toEqual([]);
    expect((await store.snapshot()).upTo).toBe(0);
    expect(numbersOf(await put(store, items))).toEqual([[1_004]]);
  });

  test('an expected revision guards against another writer', async () => {
    const fresh = { ...itemOf('a', []), expected: 0 };
    const first = await put(store, [fresh]);
    if (first.kind !== 'put') throw new Error(first.kind);
    const [{ revision } = { revision: 0 }] = first.resources;
    expect(await put(store, [fresh])).toEqual({ kind: 'changed', index: 0 });
    expect(await put(store, [{ ...fresh, expected: revision + 1 }])).toMatchObject({
      kind: 'changed',
    });
    expect(await put(store, [{ ...fresh, expected: revision }])).toMatchObject({ kind: 'put' });
  });

  test('what ends by itself releases what it had', async () => {
    numbersOf(await put(store, [itemOf('a', [certain('nodePorts', 30_000)], { forMs: 1_000 })]));
    await store.expire({ floor: 0 });
    await harness.advance(1_500);
    await store.expire({ floor: 0 });
    expect(numbersOf(await put(store, [itemOf('b', [certain('nodePorts', 30_000)])]))).toEqual([
      [30_000],
    ]);
  });

  test('a restored resource has its numbers again', async () => {
    numbersOf(await put(store, [itemOf('a', [any('clusterIps'), any('nodePorts')])]));
    const { instances, resources, tombstones } = await store.snapshot();
    const other = await create();
    expect(await other.store.restore({ instances, resources, tombstones, floor: 0 })).toMatchObject(
      {
        taken: 1,
      },
    );
    expect((await other.store.snapshot()).resources[0]?.claims).toEqual(resources[0]?.claims);
    expect(await put(other.store, [itemOf('b', [certain('clusterIps', 1_004)])])).toMatchObject({
      kind: 'taken',
      owner: 'service/default/a',
    });
    await other.close();
  });

  test('a range is not full for what another range has', async () => {
    const claims = [any('clusterIps')];
    for (let i = 0; i < 10; i++) numbersOf(await put(store, [itemOf(`s${i}`, claims)]));
    const clusterIps = { first: 2_000, last: 2_001, reserved: 0 };
    const pools = { ...POOLS, clusterIps };
    const ask = (own: string) => store.put({ items: [itemOf(own, claims)], pools, floor: 0 });
    expect(numbersOf(await ask('a'))).toEqual([[2_000]]);
    expect(numbersOf(await ask('b'))).toEqual([[2_001]]);
    expect(await ask('c')).toMatchObject({ kind: 'exhausted' });
    expect(await put(store, [itemOf('d', claims)])).toMatchObject({ kind: 'exhausted' });
  });

  /** What a replica that saw the store now would offer. */
  const offerOf = async (from: Store) => {
    const { instances, resources, tombstones } = await from.snapshot();
    return { instances, resources, tombstones, floor: 0 };
  };

  /** Its own account: who has which number, and what a newcomer who asks for it is told. */
  const checked = async (given: Store) => {
    const { resources } = await given.snapshot();
    const claims = resources.flatMap(({ key, claims: own }) =>
      own.map((one) => [key, one] as const),
    );
    assertUnique(claims);
    for (const [owner, { pool, number: n }] of claims) {
      const outcome = await put(given, [itemOf('newcomer', [certain(pool, n)])], true);
      expect(outcome).toMatchObject({ kind: 'taken', owner });
    }
    return Object.fromEntries(
      resources.map(({ key, claims: own }) => [key.slice(16), own[0]?.number]),
    );
  };

  test('numbers that changed hands have one owner, whatever the order of the pictures offered', async () => {
    await put(store, [itemOf('a', [certain('nodePorts', 30_000)])]);
    await put(store, [itemOf('b', [certain('nodePorts', 30_001)])]);
    await put(store, [itemOf('c', [certain('nodePorts', 30_002)])]);
    const old = await offerOf(store);
    await harness.advance(10);
    await store.remove({ key: 'service/default/c', floor: 0 });
    // One file that swaps two, and a newcomer who takes over what was deleted.
    await put(store, [
      itemOf('b', [certain('nodePorts', 30_000)]),
      itemOf('a', [certain('nodePorts', 30_001)]),
    ]);
    await put(store, [itemOf('d', [certain('nodePorts', 30_002)])]);
    const fresh = await offerOf(store);
    const backwards = { ...fresh, resources: fresh.resources.toReversed() };
    for (const order of [
      [old, fresh],
      [fresh, old],
      [old, backwards],
      [backwards, old],
    ]) {
      const other = await create();
      for (const offer of order) await other.store.restore(offer);
      expect(await checked(other.store)).toEqual({ a: 30_001, b: 30_000, d: 30_002 });
      await other.close();
    }
  });

  test('who was given a number while the store had forgotten its owner gets another one', async () => {
    await put(store, [itemOf('old', [certain('nodePorts', 30_003), any('clusterIps')])]);
    const offer = await offerOf(store);
    const other = await create();
    await other.advance(1_000);
    await put(other.store, [itemOf('new', [certain('nodePorts', 30_003)])]);
    await other.store.restore(offer);
    const settled = await checked(other.store);
    expect(settled).toMatchObject({ old: 30_003 });
    expect(settled['new']).not.toBe(30_003);
    expect(await other.store.restore(offer)).toMatchObject({ taken: 0 });
    expect(await checked(other.store)).toEqual(settled);
    await other.close();
  });
});

type Step =
  | { readonly do: 'put'; readonly names: readonly string[]; readonly claims: ClaimRequest[] }
  | { readonly do: 'remove'; readonly name: string };

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const number = (from: number, to: number) =>
  fc.option(fc.integer({ min: from, max: to }), { nil: undefined });
const claim: fc.Arbitrary<ClaimRequest> = fc.oneof(
  number(1_000, 1_009).map((n) => ({ pool: 'clusterIps' as const, number: n })),
  number(30_000, 30_004).map((n) => ({ pool: 'nodePorts' as const, number: n })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      names: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      claims: fc.array(claim, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
);

async function run(harness: StoreHarness, steps: readonly Step[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const one of steps) {
    await harness.advance(1);
    if (one.do === 'remove') {
      const key = `service/default/${one.name}`;
      seen.push(await harness.store.remove({ key, floor: 0 }));
      continue;
    }
    const [first, ...others] = one.names;
    const items = [
      itemOf(first ?? '', one.claims),
      ...others.map((own) => itemOf(own, [any('clusterIps')])),
    ];
    seen.push(await put(harness.store, items));
    const { resources } = await harness.store.snapshot();
    assertUnique(resources.flatMap(({ key, claims }) => claims.map((own) => [key, own] as const)));
  }
  return seen;
}

/** No number has two owners. */
function assertUnique(claims: readonly (readonly [string, Claim])[]): void {
  const owners = new Map<string, string>();
  for (const [key, { pool, number: n }] of claims) {
    const owner = owners.get(`${pool}:${n}`) ?? key;
    expect(owner).toBe(key);
    owners.set(`${pool}:${n}`, key);
  }
}

test('memory and Redis give the same numbers over random sequences, and none twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const [one, other] = [await drivers.memory(), await drivers.redis()];
      try {
        expect(await run(other, steps)).toEqual(await run(one, steps));
      } finally {
        await one.close();
        await other.close();
      }
    }),
    { numRuns: 150 },
  );
}, 300_000);
