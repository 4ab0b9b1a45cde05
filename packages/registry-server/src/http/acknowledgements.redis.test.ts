import { until } from '@rollcall/testkit';
import { afterEach, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

let made = 0;

/** Servers of one roll. */
async function startServers(count: number): Promise<RegistryServer[]> {
  const prefix = `--store-prefix=acks-${process.pid}-${made++}`;
  const servers: RegistryServer[] = [];
  for (let i = 0; i < count; i++) {
    const server = await startTestServer(`--store=${inject('redisUrl')}`, prefix);
    closers.push(() => server.close());
    servers.push(server);
  }
  for (const { url } of servers)
    await until(async () => {
      const reply = await fetch(`${url}/v1/namespaces/default/services/rollcall/endpoints`);
      const { endpoints = [] } = (await reply.json()) as { endpoints?: { ready: boolean }[] };
      return endpoints.filter(({ ready }) => ready).length === count;
    });
  return servers;
}

const INSTANCE = '/v1/namespaces/default/services/orders/instances/a';

async function send(server: RegistryServer, method: string, path: string, body?: unknown) {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const reply = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': type },
    ...sent,
  });
  const text = await reply.text();
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
}

test('a drain is seen when the watchers of every server know it', async () => {
  const [near, far] = (await startServers(2)) as [RegistryServer, RegistryServer];
  await send(near, 'PUT', INSTANCE, { ports: { http: { port: 1 } } });
  const watches = [];
  for (const { url } of [near, far]) {
    const reader = await StreamReader.open(`${url}/v1/watch?service=orders&acks=1`);
    closers.push(() => reader.close());
    await until(() => reader.of('snapshot').some(({ endpoints }) => (endpoints as []).length > 0));
    watches.push(reader);
  }
  const { revision } = await send(near, 'PATCH', INSTANCE, { status: 'draining' });
  const sight = (server: RegistryServer, waitMs = 0) =>
    send(server, 'GET', `${INSTANCE}/seen?revision=${revision as string}&waitMs=${waitMs}`);
  const acknowledge = (server: RegistryServer, reader: StreamReader) =>
    send(server, 'POST', '/v1/watch/acks', {
      acks: [{ stream: reader.of('bookmark')[0]?.['stream'], revision }],
    });
  expect(await sight(near)).toEqual({ seen: false, watchers: 1, servers: 1 });
  const [atNear, atFar] = [sight(near, 30_000), sight(far, 30_000)];
  await acknowledge(near, watches[0]!);
  await until(async () => (await sight(far))['servers'] === 0);
  expect(await sight(far)).toEqual({ seen: false, watchers: 1, servers: 0 });
  expect(await sight(near)).toEqual({ seen: false, watchers: 0, servers: 1 });
  await acknowledge(far, watches[1]!);
  const seen = { seen: true, watchers: 0, servers: 0 };
  expect(await Promise.all([atNear, atFar])).toEqual([seen, seen]);
});

test('a server without watchers says so at once', async () => {
  const [near] = (await startServers(3)) as [RegistryServer];
  await send(near, 'PUT', INSTANCE, { ports: { http: { port: 1 } } });
  const { revision } = await send(near, 'PATCH', INSTANCE, { status: 'draining' });
  const path = `${INSTANCE}/seen?revision=${revision as string}&waitMs=30000`;
  expect(await send(near, 'GET', path)).toEqual({ seen: true, watchers: 0, servers: 0 });
  // Nothing of that is an event, or a declared object.
  const { events } = await send(near, 'GET', '/v1/events?service=orders');
  expect((events as { kind: string }[]).map(({ kind }) => kind)).toEqual([
    'registered',
    'draining',
  ]);
});

test('what servers tell each other of drains is not exported', async () => {
  const [near, far] = (await startServers(2)) as [RegistryServer, RegistryServer];
  await send(near, 'PUT', INSTANCE, { ports: { http: { port: 1 } } });
  const { revision } = await send(near, 'PATCH', INSTANCE, { status: 'draining' });
  await send(near, 'GET', `${INSTANCE}/seen?revision=${revision as string}&waitMs=30000`);
  const exported = await (await fetch(`${far.url}/v1/export`)).text();
  expect(exported).not.toContain('seen/');
  const imported = await fetch(`${near.url}/v1/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: exported,
  });
  expect([imported.status, await imported.text()]).toEqual([200, expect.any(String)]);
});
