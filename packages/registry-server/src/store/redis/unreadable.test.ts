import { until } from '@rollcall/testkit';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../../compose.ts';
import { startTestServer } from '../../testing/test-server.ts';
import type { InstanceBody } from '../record.ts';
import { keysOf } from './keys.ts';
import { RedisStore } from './redis-store.ts';

let serial = 0;
let PREFIX = '';
beforeEach(() => {
  PREFIX = `unreadable-${process.pid}-${serial++}`;
});

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

const BODY = {
  address: '127.0.0.1',
  ports: { pg: { port: 5432, protocol: 'TCP' } },
  labels: {},
  zone: '',
  weight: 1,
  ttlMs: 15_000,
  status: 'up',
};

async function withStore<T>(use: (store: RedisStore, redis: Redis) => Promise<T>): Promise<T> {
  const [redis, reader] = [new Redis(inject('redisUrl')), new Redis(inject('redisUrl'))];
  const keys = keysOf(0, PREFIX);
  const store = new RedisStore({ redis, reader, keys, makeEpoch: () => 'none', logLength: 1_000 });
  try {
    return await use(store, redis);
  } finally {
    await store.close();
  }
}

/** Writes an instance past all checks, into roll and log. */
const spoil = (id: string, body: unknown = BODY, nonce = 'process|one') =>
  withStore((store) =>
    store.grant({
      instanceKey: `default/db/${id}`,
      lease: '',
      nonce,
      takeover: true,
      body: body as InstanceBody,
      maxInstances: 100,
      floor: 0,
    }),
  );

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
    expect(metrics).toContain('rollcall_unreadable_records{record="instance/default/db/spoilt"} 1');
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
  expect(metrics).not.toContain('rollcall_unreadable_records{');
});

const RECORD = '1|0.10000.0123456789abcdef0123456789abcdef||||1';
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], selector: { app: 'web' } },
};

/** Key in its hash -> what somebody else wrote there. */
const INSTANCES: Readonly<Record<string, string>> = {
  'default/db/no-parts': 'x',
  'default/db/no-numbers': `${RECORD}|${JSON.stringify(BODY)}`,
  'default/db/null': '1|||||1|null'.replace('|||||', '||||0|'),
  'default/db/no-json': '1||||0|1|{"address":',
  'default/db/list': '1||||0|1|[]',
  'default/db/no-ports': '1||||0|1|{"address":"1.2.3.4","labels":{}}',
  'default/db/ports-text': `1||||0|1|${JSON.stringify({ ...BODY, ports: 'http' })}`,
  'default/db/port-null': `1||||0|1|${JSON.stringify({ ...BODY, ports: { pg: null } })}`,
  'default/db/labels-null': `1||||0|1|${JSON.stringify({ ...BODY, labels: null })}`,
  'default/db/weight': `1||||0|1|${JSON.stringify({ ...BODY, weight: -5 })}`,
  'default/db/status': `1||||0|1|${JSON.stringify({ ...BODY, status: 'gone' })}`,
  'default/db/doubt': `1|||sure|0|1|${JSON.stringify(BODY)}`,
  'nothing-like-a-instanceKey': `1||||0|1|${JSON.stringify(BODY)}`,
};
const service = (change: object) => `1|0||${JSON.stringify({ ...SERVICE, ...change })}`;
const RESOURCES: Readonly<Record<string, string>> = {
  'service/default/no-parts': 'x',
  'service/default/no-json': '1|0||{"kind":',
  'service/default/null': '1|0||null',
  'service/default/web': service({ spec: { ports: 'http' } }),
  'service/default/other-kind': service({ kind: 'Deployment' }),
  'service/default/other-name': service({}),
  'endpoints/default/web': '1|0||{"apiVersion":"v1","kind":"Endpoints","subsets":3}',
  'override/default/db/a': '1|0||{"status":"sleeping"}',
  'report/default/web/lb': '1|0||{"conditions":1}',
};

async function readAll(server: RegistryServer): Promise<string[]> {
  const reply = await fetch(`${server.url}/v1/namespaces/default/services/db`);
  const { roll } = (await reply.json()) as { roll: { id: string }[] };
  return roll.map(({ id }) => id);
}

test('G3: records of every wrong shape cost themselves alone: the server is ready with all the others, names each, and each can be mended', async () => {
  const running = await start();
  await until(() => isReady(running));
  const sound = Array.from({ length: 20 }, (_, i) => `i${String(i).padStart(2, '0')}`);
  for (const id of sound) await register(running, id);
  await withStore(async (_store, redis) => {
    const keys = keysOf(0, PREFIX);
    await redis.hset(keys.instances, INSTANCES);
    await redis.hset(keys.resources, RESOURCES);
    await redis.hset(keys.tombstones, 'i:default/db/x', 'x', 'x', '');
    await redis.hset(keys.guards, 'default/db', 'x');
    await redis.hset(keys.holds, 'x', 'x');
    await redis.zadd(keys.leases, 1, 'x', 9e15, 'y', 1, '0.10000.z');
    await redis.hset(keys.holders, 'x', 'default/db/no-parts', 'y', 'nothing');
    await redis.sadd(keys.doubts, 'x');
  });
  const starting = await start();
  await until(() => isReady(starting));
  expect(await readAll(starting)).toEqual(sound);
  const metrics = async () => (await fetch(`${starting.url}/metrics`)).text();
  const named = [
    ...(await metrics()).matchAll(/^rollcall_unreadable_records\{record="(.*)"\} 1$/gm),
  ];
  const expected = [
    ...Object.keys(INSTANCES).map((instanceKey) => `instance/${instanceKey}`),
    ...Object.keys(RESOURCES),
  ];
  expect(new Set(named.map(([, record]) => record))).toEqual(new Set(expected));
  expect(await metrics()).not.toMatch(/^rollcall_internal_faults_total\{/m);
  // It goes on: sweeps, writes, and each of them written anew or taken away.
  await until(async () => (await fetch(`${starting.url}/readyz?for=writes`)).ok);
  for (const instanceKey of Object.keys(INSTANCES).filter((one) => one.startsWith('default/'))) {
    await register(starting, instanceKey.slice('default/db/'.length));
  }
  const declare = async (name: string, method: string, body?: string) => {
    const url = `${starting.url}/v1/namespaces/default/manifests/services/${name}`;
    const headers = { 'content-type': 'application/json' };
    return (await fetch(url, { method, ...(body === undefined ? {} : { headers, body }) })).status;
  };
  const { status, ...rest } = { status: 0, ...SERVICE };
  expect(await declare('web', 'PUT', JSON.stringify(rest))).toBe(200 + status);
  for (const name of ['no-parts', 'no-json', 'null', 'other-kind', 'other-name']) {
    expect(await declare(name, 'DELETE'), name).toBe(200);
  }
  await until(async () => (await readAll(starting)).length === sound.length + 12);
  const left = [
    ...(await metrics()).matchAll(/^rollcall_unreadable_records\{record="(.*)"\} 1$/gm),
  ];
  expect(left.map(([, record]) => record)).toEqual(
    expect.arrayContaining([
      'endpoints/default/web',
      'instance/nothing-like-a-instanceKey',
      'override/default/db/a',
      'report/default/web/lb',
    ]),
  );
  expect(left).toHaveLength(4);
});

test('a running server leaves out what it meets in the log, and goes on with what comes after it', async () => {
  const running = await start();
  await until(() => isReady(running));
  await register(running, 'a');
  await register(running, 'b');
  await spoil('b', { address: '1.2.3.4', labels: {} }, '');
  await spoil('c', null, '');
  await withStore(async (store) => {
    const put = { forMs: 0, why: 'created' } as const;
    const items = [
      { ...put, key: 'service/default/web', value: '{' },
      { ...put, key: 'newer/default/thing', value: 'of a version to come' },
    ];
    await store.put({ items, floor: 0 });
  });
  await register(running, 'd');
  await until(async () => (await readAll(running)).includes('d'));
  expect(await readAll(running)).toEqual(['a', 'd']);
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  for (const key of ['instance/default/db/b', 'instance/default/db/c', 'service/default/web']) {
    expect(metrics).toContain(`rollcall_unreadable_records{record="${key}"} 1`);
  }
  expect(metrics).not.toMatch(/^rollcall_internal_faults_total\{/m);
});
