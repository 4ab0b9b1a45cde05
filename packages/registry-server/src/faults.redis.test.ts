import { type Registration, Rollcall, type Service } from '@rollcall/client-sdk';
import { ChaosProxy, until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
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
