import { type Registration, Rollcall, type Service } from '@rollcall/client-sdk';
import { ChaosProxy, findRedisBinary, RedisProcess, until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { RegistryServer } from './compose.ts';
import { startTestServer } from './testing/test-server.ts';

const IDS = ['a', 'b', 'c'];
const TTL_MS = 3_000;

let proxy: ChaosProxy;
let server: RegistryServer;
let rollcall: Rollcall;
let held: Service;
let registrations: Registration[];
/** Sizes of every roll that the client saw. */
let sizes: number[];

beforeEach(async () => {
  const { port, pathname } = new URL(inject('redisUrl'));
  proxy = await ChaosProxy.start(Number(port));
  const prefix = `faults-${process.pid}-${performance.now()}`.replace('.', '-');
  const store = `redis://127.0.0.1:${proxy.port}${pathname === '/' ? '' : pathname}`;
  server = await startTestServer(`--store=${store}`, `--store-prefix=${prefix}`);
  rollcall = new Rollcall({ url: server.url });
  registrations = await Promise.all(
    IDS.map((id) => rollcall.register({ service: 'held', id, port: 3_000, ttlMs: TTL_MS })),
  );
  held = rollcall.service('held');
  await until(() => held.endpoints().length === IDS.length);
  sizes = [];
  held.on('change', ({ endpoints }) => sizes.push(endpoints.length));
});
afterEach(async () => {
  proxy.heal();
  await rollcall.close();
  await server.close();
  await proxy.close();
});

const path = '/v1/namespaces/default/services/held/instances/late';
async function write(): Promise<{ status: number; tookMs: number }> {
  const beganMs = performance.now();
  const { status } = await fetch(`${server.url}${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"ports":{"http":3001},"ttlMs":60000}',
  });
  return { status, tookMs: performance.now() - beganMs };
}
/** Every instance has renewed more often than one lease lasts. */
async function outlivesLeases(): Promise<void> {
  await Promise.all(
    registrations.map((registration) => {
      let renewals = 0;
      const off = registration.on('renewed', () => renewals++);
      return until(() => renewals >= 5, { withinMs: TTL_MS * 5 }).finally(off);
    }),
  );
}

const readable = async () => {
  const reply = await fetch(`${server.url}/v1/namespaces/default/services/held/endpoints`);
  return ((await reply.json()) as { endpoints: unknown[] }).endpoints.length;
};

describe.each([50, 600])('G1: Redis %d ms away', (delayMs) => {
  test('writes take their time and are done, nobody is evicted', async () => {
    proxy.set({ delayMs });
    const { status, tookMs } = await write();
    expect(status).toBe(200);
    expect(tookMs).toBeGreaterThanOrEqual(delayMs);
    await until(async () => (await readable()) === IDS.length + 1);
    await outlivesLeases();
    expect(Math.min(...sizes)).toBe(IDS.length + 1);
  }, 60_000);
});

test('G5: Redis hung for longer than every lease: writes are refused soon, reads go on, and nobody is missing after it', async () => {
  proxy.set({ lost: ['up', 'down'], connects: 'silent' });
  const beganMs = performance.now();
  const { status, tookMs } = await write();
  expect(status).toBe(503);
  expect(tookMs).toBeLessThan(4_000);
  expect(await readable()).toBe(IDS.length);
  await until(() => performance.now() - beganMs > TTL_MS * 2, { withinMs: TTL_MS * 4 });
  expect(await readable()).toBe(IDS.length);
  proxy.heal();
  await until(async () => (await write()).status === 200, { withinMs: 20_000 });
  await until(() => held.endpoints().length === IDS.length + 1);
  await outlivesLeases();
  expect(
    held
      .endpoints()
      .map(({ instance }) => instance)
      .toSorted(),
  ).toEqual([...IDS, 'late']);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(IDS.length);
}, 180_000);

test('G5: Redis cut off again and again: every write is answered, and the roll stays whole', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 20; i++) {
    proxy.cut();
    statuses.push((await write()).status);
  }
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  await until(async () => (await write()).status === 200);
  await until(() => held.endpoints().length === IDS.length + 1);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(IDS.length);
}, 180_000);

describe('what a client of the SDK sees of a Redis that forgets', () => {
  const [LEASE_MS, LONG_MS] = [4_000, 60_000];

  /** A Redis without an append-only file, a server on it, and three instances of which one leaves when told. */
  async function setUp() {
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    const redis = await RedisProcess.start(binary);
    onTestFinished(() => redis.close());
    const own = await startTestServer('--store', redis.url);
    onTestFinished(() => own.close());
    const client = new Rollcall({ url: own.url });
    onTestFinished(() => client.close());
    for (const id of ['a', 'b'])
      await client.register({ service: 'kept', id, port: 3_000, ttlMs: LEASE_MS });
    // Long enough that only the right answer takes it away again, and not the end of its lease.
    const leaves = await client.register({
      service: 'kept',
      id: 'leaves',
      port: 3_000,
      ttlMs: LONG_MS,
    });
    const kept = client.service('kept');
    await until(() => kept.endpoints().length === 3);
    const seen: string[][] = [];
    const ofFirstTier = () =>
      kept
        .endpoints()
        .filter(({ tier }) => tier === 0)
        .map(({ instance }) => instance)
        .toSorted();
    kept.on('change', ({ endpoints }) => {
      seen.push(endpoints.map(({ instance, tier }) => `${instance} ${tier}`));
    });
    return { redis, own, client, kept, leaves, seen, ofFirstTier };
  }

  test('G5: wiped again and again while it is given back what it forgot: nobody is missing, the deregistered stays away', async () => {
    const { redis, kept, leaves, seen, ofFirstTier } = await setUp();
    await leaves.deregister();
    await until(() => kept.endpoints().length === 2);
    seen.length = 0;
    for (let wipes = 0; wipes < 30; wipes++) await redis.command('FLUSHALL');
    await until(() => seen.length > 0 && ofFirstTier().join() === 'a,b');
    expect(seen.filter((roll) => roll.length !== 2)).toEqual([]);
  }, 60_000);

  test('G2, G5: an older dump: who was deregistered since is used by no call, and the others are back', async () => {
    const { redis, own, kept, leaves, seen, ofFirstTier } = await setUp();
    const isWritable = async ({ url }: RegistryServer) =>
      (await fetch(`${url}/readyz?for=writes`)).ok;
    await redis.command('SAVE');
    await leaves.deregister();
    await until(() => kept.endpoints().length === 2);
    seen.length = 0;
    await redis.down();
    await until(async () => !(await isWritable(own)));
    await redis.up();
    await until(() => isWritable(own));
    await until(() => kept.endpoints().length === 2 && ofFirstTier().join() === 'a,b');
    expect(seen.filter((roll) => roll.includes('leaves 0'))).toEqual([]);
    expect(seen.filter((roll) => !/a \d.*b \d/.test(roll.toSorted().join()))).toEqual([]);
  }, 60_000);
});
