import { afterEach, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

const INSTANCE = 'default/services/orders/instances/a';
const ADMIN = 'admin-token-01234567890';
const READER = 'reader-token-0123456789';
const OWNER = 'owner-token-01234567890';
const OTHER = 'other-token-01234567890';

let server: RegistryServer;
const readers: StreamReader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await server.close();
});

const start = async (...flags: string[]) => {
  server = await startTestServer(
    ...flags,
    `--token=${ADMIN}`,
    `--token=${READER}=read:default`,
    `--token=${OTHER}=read:default`,
  );
};

async function call(method: string, path: string, body?: unknown, token = ADMIN) {
  const response = await fetch(`${server.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function watch(query: string, token = READER) {
  const url = `${server.url}/v1/watch?${query}`;
  const reader = await StreamReader.open(url, { authorization: `Bearer ${token}` });
  readers.push(reader);
  await until(() => reader.of('bookmark').length > 0);
  const { stream } = reader.of('bookmark')[0]!;
  const acknowledge = (revision: string, by = token) =>
    call('POST', 'watch/acks', { acks: [{ stream, revision }] }, by);
  return { reader, acknowledge };
}

const register = () => call('PUT', `namespaces/${INSTANCE}`, { ports: { http: { port: 1 } } });

async function drain(path = `namespaces/${INSTANCE}`): Promise<string> {
  const type = { 'content-type': 'application/merge-patch+json', authorization: `Bearer ${ADMIN}` };
  const url = `${server.url}/v1/${path}`;
  const body = JSON.stringify({ status: 'draining' });
  const response = await fetch(url, { method: 'PATCH', headers: type, body });
  expect(response.status).toBe(200);
  return ((await response.json()) as { revision: string }).revision;
}

const sight = async (revision: string, waitMs = 0) =>
  (await call('GET', `namespaces/${INSTANCE}/seen?revision=${revision}&waitMs=${waitMs}`)).body;

test('a drain is seen when every watcher that acknowledges has done so', async () => {
  await start();
  await register();
  const [one, other] = [await watch('service=orders&acks=1'), await watch('acks=1')];
  // Neither of these is waited for.
  await watch('service=orders');
  await watch('service=billing&acks=1');
  const revision = await drain();
  expect(await sight(revision)).toEqual({ seen: false, watchers: 2, servers: 0 });
  const waiting = sight(revision, 30_000);
  expect((await one.acknowledge(revision)).status).toBe(204);
  expect(await sight(revision)).toEqual({ seen: false, watchers: 1, servers: 0 });
  // Of an earlier revision, and by somebody else.
  await other.acknowledge(String(Number(revision) - 1));
  await other.acknowledge(revision, OTHER);
  expect(await sight(revision)).toMatchObject({ seen: false });
  await other.acknowledge(String(Number(revision) + 10));
  expect(await waiting).toEqual({ seen: true, watchers: 0, servers: 0 });
});

test('a watcher that leaves is not waited for, and one that comes is', async () => {
  await start();
  await register();
  const one = await watch('service=orders&acks=1');
  const revision = await drain();
  const late = await watch('service=orders&acks=1');
  const waiting = sight(revision, 30_000);
  one.reader.close();
  await until(async () => (await sight(revision)).watchers === 1);
  await late.acknowledge(revision);
  expect(await waiting).toMatchObject({ seen: true });
});

test('the wait is bounded, and ends with the drain', async () => {
  await start();
  await register();
  await watch('service=orders&acks=1');
  const revision = await drain();
  expect(await sight(revision, 20)).toEqual({ seen: false, watchers: 1, servers: 0 });
  const waiting = sight(revision, 30_000);
  await call('DELETE', `namespaces/${INSTANCE}`);
  expect(await waiting).toMatchObject({ seen: true });
});

test('drains of several services wait for their own watchers alone', async () => {
  await start();
  const of = (service: string) => `namespaces/default/services/${service}/instances/a`;
  for (const service of ['a', 'b', 'c'])
    await call('PUT', of(service), { ports: { http: { port: 1 } } });
  const one = await watch('service=b&acks=1');
  const revisions = await Promise.all(['a', 'b', 'c'].map((service) => drain(of(service))));
  const seen = async (i: number) =>
    (await call('GET', `${of('abc'[i]!)}/seen?revision=${revisions[i]}`)).body.seen;
  expect([await seen(0), await seen(1), await seen(2)]).toEqual([true, false, true]);
  await one.acknowledge(revisions[1]!);
  expect(await seen(1)).toBe(true);
});

test('a server that shuts down says nothing of watchers that it sends away', async () => {
  await start();
  await register();
  await watch('service=orders&acks=1');
  const revision = await drain();
  const waiting = sight(revision, 30_000);
  const closed = server.close();
  expect(await waiting).toMatchObject({ seen: false });
  await closed;
});

test('whether an instance is seen is told to who may register it', async () => {
  await start(`--token=${OWNER}=register:default/mine`);
  await register();
  const asked = await call('GET', `namespaces/${INSTANCE}/seen`, undefined, OWNER);
  expect([asked.status, asked.body.code]).toEqual([403, 'forbidden']);
});

test('what makes no sense is refused', async () => {
  await start();
  const refused = async (method: string, path: string, body?: unknown) => {
    const reply = await call(method, path, body);
    return [reply.status, reply.body.field];
  };
  expect(await refused('POST', 'watch/acks', { acks: [] })).toEqual([400, 'acks']);
  const stream = 'x';
  expect(await refused('POST', 'watch/acks', { acks: [{ stream, revision: '1' }] })).toEqual([
    400,
    'acks.0.stream',
  ]);
  expect(await refused('GET', `namespaces/${INSTANCE}/seen?waitMs=99999`)).toEqual([400, 'waitMs']);
  expect(await refused('GET', `namespaces/${INSTANCE}/seen`)).toEqual([404, 'id']);
  expect(await refused('GET', 'watch?acks=yes')).toEqual([400, 'acks']);
});
