import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, startRegistryServer } from '@rollcall/registry-server';
import {
  type Clock,
  type Store,
  StoreUnavailableError,
  systemClock,
  systemRandom,
  TableStore,
} from '@rollcall/registry-server/store';
import { ManualClock, storeConformance } from '@rollcall/registry-server/testing';
import { openStore, SqliteBackend } from './sqlite-store.ts';

let folder: string;
let path: string;
let epochs = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sqlite-store-'));
  path = join(folder, 'roll.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const makeEpoch = () => `epoch-${epochs++}`;
const START_MS = 1_800_000_000_000;

/** Deletes all rows, as a hand at the file would. */
function empty(file: string): void {
  const database = new DatabaseSync(file);
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables) database.exec(`DELETE FROM "${String(name)}"`);
  database.close();
}

storeConformance('SQLite', async ({ logLength = 10_000, guardMs } = {}) => {
  const own = await mkdtemp(join(tmpdir(), 'sqlite-store-'));
  const file = join(own, 'roll.db');
  const clock = new ManualClock(START_MS);
  const backend = await SqliteBackend.open({ path: file, makeEpoch, logLength });
  const store = new TableStore(backend, { clock, guardMs });
  return {
    store,
    async advance(ms) {
      if (ms >= 0) clock.advance(ms);
      else clock.step(ms);
    },
    wipe: async () => empty(file),
    async close() {
      await store.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

async function open(clock: Clock, prefix = 'rollcall'): Promise<TableStore> {
  const backend = await SqliteBackend.open({ path, makeEpoch, logLength: 1_000, prefix });
  return new TableStore(backend, { clock });
}
const POOLS = {
  clusterIps: { first: 1_000, last: 1_009, reserved: 0 },
  nodePorts: { first: 30_000, last: 30_009, reserved: 0 },
};
const declare = (store: Store, name: string) => {
  const claims = [{ pool: 'clusterIps' as const, number: undefined }];
  const item = { key: `service/default/${name}`, value: '{}', forMs: 0, claims };
  return store.put({ items: [{ ...item, why: 'created' }], pools: POOLS, floor: 0 });
};

test('what one process writes the other follows, and a number is given once', async () => {
  const [one, other] = await Promise.all([open(systemClock), open(systemClock)]);
  await declare(one, 'a');
  const { head } = await other.snapshot();
  const page = other.follow(head.revision, new AbortController().signal);
  await declare(one, 'b');
  expect((await page).entries).toMatchObject([{ resource: { key: 'service/default/b' } }]);
  await declare(other, 'c');
  const { resources } = await one.snapshot();
  const numbers = resources.map(({ claims: [claim] }) => claim?.number);
  expect(new Set(numbers)).toEqual(new Set([1_000, 1_001, 1_002]));
  await Promise.all([one.close(), other.close()]);
});

test('a write that fails in the middle changes nothing', async () => {
  const store = await open(systemClock);
  await declare(store, 'a');
  const before = await store.snapshot();
  const claims = [{ pool: 'clusterIps' as const, number: undefined }];
  const item = { key: 'service/default/b', value: '{}', forMs: 0, why: 'created' as const, claims };
  // The range that a claim needs is missing.
  await expect(store.put({ items: [item], floor: 0 })).rejects.toThrow(TypeError);
  expect(await store.snapshot()).toEqual(before);
  await store.close();
});

test('a file that another process has locked is a store that is away', async () => {
  const store = await open(systemClock);
  const locker = new DatabaseSync(path);
  locker.exec('BEGIN IMMEDIATE');
  await expect(declare(store, 'a')).rejects.toBeInstanceOf(StoreUnavailableError);
  expect((await store.snapshot()).resources).toEqual([]);
  locker.close();
  expect(await declare(store, 'a')).toMatchObject({ kind: 'put' });
  await store.close();
  await expect(store.snapshot()).rejects.toBeInstanceOf(StoreUnavailableError);
});

test('prefixes that differ in case alone share nothing', async () => {
  const [lower, upper] = await Promise.all([open(systemClock, 'a'), open(systemClock, 'A')]);
  await declare(lower, 'web');
  expect((await upper.snapshot()).resources).toEqual([]);
  await Promise.all([lower.close(), upper.close()]);
});

test('a defect stays what it is, and is no store that is away', async () => {
  const store = await open(systemClock);
  const database = new DatabaseSync(path);
  const trigger = "BEFORE INSERT ON rollcall_log BEGIN SELECT RAISE(ABORT, 'planted'); END";
  database.exec(`CREATE TRIGGER planted ${trigger}`);
  const failed = declare(store, 'a');
  await expect(failed).rejects.toThrow('planted');
  await expect(failed).rejects.not.toBeInstanceOf(StoreUnavailableError);
  database.exec('DROP TRIGGER planted');
  database.close();
  expect((await store.snapshot()).resources).toEqual([]);
  await store.close();
});

test('what cannot be opened is named', async () => {
  const context = { clock: systemClock, random: systemRandom, logger: { debug() {} } };
  const limits = { guardMs: 1, logLength: 1, partition: 0, prefix: 'a' };
  const opened = async (address: string) => openStore(address, { ...context, ...limits });
  const missing = join(folder, 'missing', 'roll.db');
  await expect(opened(`sqlite:${missing}`)).rejects.toThrow(`--store ${missing}: `);
  await writeFile(path, 'this is no database, but a text that is long enough to be read as one');
  await expect(opened(`sqlite:${path}`)).rejects.toBeInstanceOf(ConfigError);
  for (const address of ['sqlite:', 'sqlite::memory:']) {
    await expect(opened(address)).rejects.toThrow('expected sqlite:PATH');
  }
});

test('a registry runs on it, and the leases outlive its process', async () => {
  const start = async () =>
    startRegistryServer({ port: 0, warmUpMs: 0, store: await open(systemClock) });
  let server = await start();
  const call = async (method: string, at: string, body: object = {}) => {
    const headers = { 'content-type': 'application/json' };
    const url = `${server.url}/v1/${at}`;
    const reply = await fetch(url, { method, headers, body: JSON.stringify(body) });
    const text = await reply.text();
    return { status: reply.status, body: JSON.parse(text || '{}') as { lease?: { id: string } } };
  };
  const instance = { address: '127.0.0.1', ports: { http: 3_000 }, ttlMs: 60_000 };
  const at = 'namespaces/default/services/orders/instances/a1';
  const { body } = await call('PUT', at, instance);
  await server.close();
  server = await start();
  try {
    await expect.poll(async () => (await call('PUT', `leases/${body.lease?.id}`)).status).toBe(204);
    const reply = await fetch(`${server.url}/v1/namespaces/default/services/orders/endpoints`);
    expect(await reply.json()).toMatchObject({ endpoints: [{ instance: 'a1', state: 'up' }] });
  } finally {
    await server.close();
  }
});

test('a registry that cannot start closes the store', async () => {
  const store = await open(systemClock);
  const started = startRegistryServer({ port: 0, tokenFile: join(folder, 'missing'), store });
  await expect(started).rejects.toBeInstanceOf(ConfigError);
  await expect(store.snapshot()).rejects.toBeInstanceOf(StoreUnavailableError);
});
