import { until } from '@rollcall/testkit';
import { Redis } from 'ioredis';
import { afterEach, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../../compose.ts';
import { startTestServer } from '../../testing/test-server.ts';
import { keysOf } from './keys.ts';
import { RedisStore } from './redis-store.ts';

const PREFIX = `unreadable-${process.pid}`;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(): Promise<RegistryServer> {
  const server = await startTestServer(`--store=${inject('redisUrl')}`, `--store-prefix=${PREFIX}`);
  closers.push(() => server.close());
  return server;
}

const isReady = async ({ url }: RegistryServer) => (await fetch(`${url}/readyz?for=writes`)).ok;
const pathOf = ({ url }: RegistryServer, id: string) =>
  `${url}/v1/namespaces/default/services/db/instances/${id}`;
const statusOf = async (server: RegistryServer, id: string, method = 'GET') =>
  (await fetch(pathOf(server, id), { method })).status;

async function register(server: RegistryServer, id: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ address: '127.0.0.1', ports: { pg: 5432 } });
  const reply = await fetch(pathOf(server, id), { method: 'PUT', headers, body });
  expect(reply.status).toBe(200);
}

/** Writes what no server would: with a separator where none may be. */
async function spoil(id: string): Promise<void> {
  const [redis, reader] = [new Redis(inject('redisUrl')), new Redis(inject('redisUrl'))];
  const keys = keysOf(0, PREFIX);
  const store = new RedisStore({ redis, reader, keys, makeEpoch: () => 'none', logLength: 1_000 });
  const ports = { pg: { port: 5432, protocol: 'TCP' } } as const;
  const body = { address: '127.0.0.1', ports, labels: {}, zone: '', weight: 1 };
  await store.grant({
    field: `default/db/${id}`,
    lease: '',
    nonce: 'process|one',
    takeover: true,
    body: { ...body, ttlMs: 15_000, status: 'up' },
    maxInstances: 100,
    floor: 0,
  });
  await store.close();
}

test('G3: one record that cannot be read costs that instance alone, at servers that run and at one that starts', async () => {
  const running = await start();
  await until(() => isReady(running));
  await register(running, 'a');
  await spoil('spoilt');
  const starting = await start();
  await until(() => isReady(starting));
  for (const [i, server] of [running, starting].entries()) {
    await register(server, `after-${i}`);
    for (const other of [running, starting]) {
      await until(async () => (await statusOf(other, `after-${i}`)) === 200);
      expect(await statusOf(other, 'a')).toBe(200);
      expect(await statusOf(other, 'spoilt')).toBe(404);
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/rollcall_unreadable_records_total [1-9]/);
  }
  // Written over it is as good as any.
  await register(running, 'spoilt');
  await until(async () => (await statusOf(starting, 'spoilt')) === 200);
});

test('it can be taken off', async () => {
  const running = await start();
  await until(() => isReady(running));
  await spoil('spoilt');
  expect(await statusOf(running, 'spoilt', 'DELETE')).toBe(200);
  const starting = await start();
  await until(() => isReady(starting));
  const metrics = await (await fetch(`${starting.url}/metrics`)).text();
  expect(metrics).toContain('rollcall_unreadable_records_total 0');
});
