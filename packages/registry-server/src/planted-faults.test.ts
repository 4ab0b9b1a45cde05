import { pino } from 'pino';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RegistryServer, startRegistryServer } from './compose.ts';
import { readConfig } from './config.ts';
import { Picture } from './picture/picture.ts';
import { MemoryStore } from './store/memory/memory-store.ts';
import { WatchHub } from './watch/hub.ts';
import { Registry } from './writes/registry.ts';

let server: RegistryServer;
let lines: { readonly loop?: string; readonly err?: { readonly stack: string } }[];
beforeEach(async () => {
  lines = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]);
  const config = readConfig(['--port=0', '--warm-up-ms=0', '--shutdown-ms=50'], {});
  server = await startRegistryServer(config, { logger: pino({}, { write }), version: '0.0.0' });
  await until(async () => (await get('/readyz?for=writes')).ok);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

const get = (path: string) => fetch(`${server.url}${path}`);
const faultsOf = async (loop: string) => {
  const text = await (await get('/metrics')).text();
  const line = new RegExp(`^rollcall_internal_faults_total\\{loop="${loop}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
};
async function register(id: string, over: object = {}) {
  const path = `/v1/namespaces/default/services/orders/instances/${id}`;
  const body = JSON.stringify({ address: '127.0.0.1', ports: { http: 1 }, ttlMs: 2_000, ...over });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${server.url}${path}`, { method: 'PUT', headers, body });
  expect(reply.status).toBe(200);
  return ((await reply.json()) as { lease: { id: string } | null }).lease?.id;
}
const roll = async () => {
  const reply = await get('/v1/namespaces/default/services/orders/endpoints');
  if (reply.status === 404) return [];
  const { endpoints } = (await reply.json()) as {
    endpoints: { instance: string; state: string }[];
  };
  return endpoints.map(({ instance, state }) => `${instance} ${state}`);
};

const planted = () => new TypeError('planted');
async function told(loop: string): Promise<void> {
  await until(async () => (await faultsOf(loop)) > 0);
  const own = lines.filter((line) => line.loop === loop);
  expect(own.length).toBeGreaterThan(0);
  for (const { err } of own) expect(err?.stack).toMatch(/^TypeError: planted\n\s+at /);
  // The store is well, so no line may blame it.
  expect(JSON.stringify(lines)).not.toMatch(/unreachable|cannot be reached/i);
}

test('publishing: the fault is told, and what was to be shown is shown by reading the roll anew', async () => {
  vi.spyOn(Picture.prototype, 'apply').mockImplementationOnce(() => {
    throw planted();
  });
  await register('a');
  await told('follower');
  await until(async () => (await roll()).includes('a up'));
});

test('telling the watchers: likewise', async () => {
  vi.spyOn(WatchHub.prototype, 'publish').mockImplementationOnce(() => {
    throw planted();
  });
  await register('a');
  await told('follower');
  await register('b');
  await until(async () => (await roll()).length === 2);
});

test('sweeping: told, not ready for writes as long as it fails, and evicting again afterwards', async () => {
  const expire = vi.spyOn(MemoryStore.prototype, 'expire').mockImplementation(async () => {
    throw planted();
  });
  await register('a');
  await told('sweeper');
  await until(async () => (await get('/readyz?for=writes')).status === 503);
  expect(await (await get('/readyz')).json()).toMatchObject({ status: 'ready', isSweeping: false });
  const age = async () =>
    Number(
      /^rollcall_sweep_last_success_seconds (\S+)$/m.exec(
        await (await get('/metrics')).text(),
      )?.[1],
    );
  const before = await age();
  expire.mockRestore();
  await until(async () => (await get('/readyz?for=writes')).ok);
  expect(await age()).not.toBe(before);
  await until(async () => (await roll()).length === 0);
});

test('checking: told, and the next round checks', async () => {
  vi.spyOn(Picture.prototype, 'persistentInstances').mockImplementationOnce(() => {
    throw planted();
  });
  await told('checker');
  const check = { type: 'tcp', intervalMs: 1_000, timeoutMs: 300, unhealthyThreshold: 1 };
  await register('p', { ttlMs: undefined, persistent: true, check });
  await until(async () => (await roll()).includes('p down'));
});

test('a hold that breaks: told, and the next one makes its instance suspect', async () => {
  vi.spyOn(Registry.prototype, 'suspect').mockImplementationOnce(async () => {
    throw planted();
  });
  const lease = await register('a', { ttlMs: 60_000 });
  const hold = async () => {
    const abort = new AbortController();
    const path = `/v1/leases/hold?lease=${lease}`;
    const reply = await fetch(`${server.url}${path}`, { signal: abort.signal });
    await reply.body?.getReader().read();
    abort.abort();
  };
  await hold();
  await told('holds');
  await hold();
  await until(async () => !(await roll()).includes('a up'));
});
