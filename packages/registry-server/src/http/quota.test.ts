import { until } from '@rollcall/testkit';
import { afterEach, describe, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

const ADMIN = 'admin-token-0123456789';
const RED = 'red-token-0123456789ab';
const BLUE = 'blue-token-0123456789ab';
const TOKENS = [
  `--token=${ADMIN}`,
  `--token=${RED}=read,register:*`,
  `--token=${BLUE}=read,register:*`,
];

const servers: RegistryServer[] = [];
const readers: StreamReader[] = [];

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  for (const server of servers.splice(0)) await server.close();
});

async function start(...flags: string[]): Promise<RegistryServer> {
  const server = await startTestServer(...TOKENS, ...flags);
  servers.push(server);
  await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
  return server;
}

const headersOf = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
});

interface Said {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly lease?: { id: string };
}

async function register(
  { url }: RegistryServer,
  token: string,
  path: string,
  over = {},
): Promise<Said> {
  const [service, id] = path.split('/');
  const response = await fetch(`${url}/v1/namespaces/default/services/${service}/instances/${id}`, {
    method: 'PUT',
    headers: headersOf(token),
    body: JSON.stringify({ ports: { http: 1 }, ...over }),
  });
  return { ...((await response.json()) as Said), status: response.status };
}

async function watch({ url }: RegistryServer, token: string, path = 'watch?service=a') {
  const reader = await StreamReader.open(`${url}/v1/${path}`, headersOf(token));
  readers.push(reader);
  return reader;
}

describe('G7: a token', () => {
  test('has so many instances, and what it has already it may register again', async () => {
    const server = await start('--max-instances-per-token=3');
    for (const id of ['1', '2', '3']) {
      expect(await register(server, RED, `a/${id}`)).toMatchObject({ status: 200 });
    }
    const refused = await register(server, RED, 'b/4');
    expect(refused).toMatchObject({ status: 403, code: 'quota_exceeded', field: 'id' });
    expect(refused.message).toMatch(/3 instances .*--max-instances-per-token/);
    expect(await register(server, RED, 'a/1', { weight: 5 })).toMatchObject({ status: 200 });
    expect(await register(server, BLUE, 'a/5')).toMatchObject({ status: 200 });
    expect(await register(server, ADMIN, 'a/6')).toMatchObject({ status: 200 });
    const gone = `${server.url}/v1/namespaces/default/services/a/instances/1`;
    await fetch(gone, { method: 'DELETE', headers: headersOf(RED) });
    expect(await register(server, RED, 'b/4')).toMatchObject({ status: 200 });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/rollcall_refused_total\{reason="quota"\} 1\n/);
  });

  test('cannot get more by asking for all at once', async () => {
    // A store that takes its time, so that all are asked before the first is seen on the roll.
    const store = [`--store=${inject('redisUrl')}`, `--store-prefix=rush-${process.pid}`];
    const server = await start(...store, '--max-instances-per-token=5');
    const said = await Promise.all(
      Array.from({ length: 30 }, (_, i) => register(server, RED, `a/${i}`)),
    );
    expect(said.filter(({ status }) => status === 200)).toHaveLength(5);
  });

  test('has instances of so many services', async () => {
    const server = await start('--max-services-per-token=2');
    expect(await register(server, RED, 'a/1')).toMatchObject({ status: 200 });
    expect(await register(server, RED, 'b/1')).toMatchObject({ status: 200 });
    const refused = await register(server, RED, 'c/1');
    expect(refused).toMatchObject({ status: 403, code: 'quota_exceeded', field: 'svc' });
    expect(await register(server, RED, 'a/2')).toMatchObject({ status: 200 });
    expect(await register(server, BLUE, 'c/1')).toMatchObject({ status: 200 });
  });

  test('has so many watches and holds', async () => {
    const server = await start('--max-watches-per-token=2');
    const first = await watch(server, RED);
    await watch(server, RED);
    await until(() => readers.every((reader) => reader.of('bookmark').length > 0));
    expect((await watch(server, RED)).status).toBe(503);
    expect((await watch(server, BLUE)).status).toBe(200);
    first.close();
    await until(async () => (await watch(server, RED)).status === 200);
    const { lease } = await register(server, RED, 'a/1');
    for (const status of [200, 200, 503]) {
      expect((await watch(server, RED, `leases/hold?lease=${lease?.id}`)).status).toBe(status);
      await until(() => readers.every((one) => one.status !== 200 || one.events.length > 0));
    }
  });

  test('cannot hold or watch more by asking for all at once', async () => {
    const store = [`--store=${inject('redisUrl')}`, `--store-prefix=rush-streams-${process.pid}`];
    const server = await start(...store, '--max-watches-per-token=3');
    const { lease } = await register(server, RED, 'a/1');
    const rush = async (token: string, path: string, meanwhile = async () => {}) => {
      const asked = Array.from({ length: 20 }, () => watch(server, token, path));
      await meanwhile();
      const opened = await Promise.all(asked);
      return opened.filter(({ status }) => status === 200);
    };
    const hold = `leases/hold?lease=${lease?.id}`;
    const held = await rush(RED, hold);
    expect(held).toHaveLength(3);
    // Each waits for a revision that comes while all do.
    const first = await watch(server, BLUE);
    await until(() => first.of('bookmark').length > 0);
    const since = `watch?service=a&since=${Number(first.of('bookmark')[0]?.['revision']) + 1}`;
    const registerOne = async () => void (await register(server, BLUE, 'a/2'));
    expect(await rush(BLUE, since, registerOne)).toHaveLength(2);
    // What ends, or comes to nothing, leaves its place to another.
    for (const one of held) one.close();
    await until(async () => (await watch(server, RED, hold)).status === 200);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(Number(/reason="quota"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(35);
  });

  test('does not use up what all share by watches that are refused', async () => {
    const server = await start('--max-watches-per-token=1', '--max-snapshots-per-second=3');
    expect((await watch(server, RED)).status).toBe(200);
    const refused = await Promise.all(Array.from({ length: 30 }, () => watch(server, RED)));
    expect(refused.every(({ status }) => status === 503)).toBe(true);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/reason="snapshot_rate"\} 0\n/);
    expect((await watch(server, BLUE)).status).toBe(200);
  });

  test('opens holds at the pace of its heartbeats', async () => {
    const server = await start('--max-heartbeats-per-second=2');
    const { lease } = await register(server, RED, 'a/1');
    const path = `leases/hold?lease=${lease?.id}`;
    const asked = await Promise.all(Array.from({ length: 10 }, () => watch(server, RED, path)));
    const statuses = asked.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
  });

  test('is counted by every server of a store', async () => {
    const prefix = `quota-${process.pid}`;
    const store = [`--store=${inject('redisUrl')}`, `--store-prefix=${prefix}`];
    const one = await start(...store, '--max-instances-per-token=2');
    const other = await start(...store, '--max-instances-per-token=2');
    await register(one, RED, 'a/1');
    await register(one, RED, 'a/2');
    // The other's picture is a moment behind.
    await until(async () => (await register(other, RED, 'a/1')).status === 200);
    await until(async () => {
      const path = `${other.url}/v1/namespaces/default/services/a/instances/2`;
      return (await fetch(path, { headers: headersOf(RED) })).ok;
    });
    expect(await register(other, RED, 'a/3')).toMatchObject({ code: 'quota_exceeded' });
  });
});

test('a server holds no more streams than it may, even when all are asked for at once', async () => {
  const store = [`--store=${inject('redisUrl')}`, `--store-prefix=rush-most-${process.pid}`];
  const server = await start(...store, '--max-holds=2');
  const { lease } = await register(server, ADMIN, 'a/1');
  const path = `leases/hold?lease=${lease?.id}`;
  const asked = await Promise.all(Array.from({ length: 20 }, () => watch(server, ADMIN, path)));
  expect(asked.filter(({ status }) => status === 200)).toHaveLength(2);
});

test('quotas without tokens are refused at start: everybody would be one', async () => {
  await expect(startTestServer('--max-services-per-token=1')).rejects.toThrow(
    /--max-services-per-token: expected --token/,
  );
});

/** Asks again and again, so many at a time, until told to stop; gives how often it was let in and refused. */
async function flood(isOver: () => boolean, ask: (i: number) => Promise<number>) {
  const counts = { allowed: 0, refused: 0 };
  let i = 0;
  const worker = async () => {
    while (!isOver()) {
      const status = await ask(i++);
      if (status < 300) counts.allowed++;
      else counts.refused++;
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return counts;
}

test('G7: one token that floods with registrations, heartbeats and watches does not hurt another', async () => {
  const limits = ['--max-writes-per-second=25', '--max-heartbeats-per-second=25'];
  const server = await start(...limits, '--max-watches-per-token=5');
  const reader = await watch(server, BLUE, 'watch?service=steady');
  await until(() => reader.of('bookmark').length > 0);
  const red = await register(server, RED, 'flood/own');
  let isOver = false;
  const beat = (id?: string) => `${server.url}/v1/leases/${id}`;
  const floods = [
    flood(
      () => isOver,
      async (i) => (await register(server, RED, `flood/${i}`)).status,
    ),
    flood(
      () => isOver,
      async () => {
        const init = { method: 'PUT', headers: headersOf(RED) };
        return (await fetch(beat(red.lease?.id), init)).status;
      },
    ),
    flood(
      () => isOver,
      async () => (await watch(server, RED)).status,
    ),
  ];
  const tookMs: number[] = [];
  for (let i = 0; i < 20; i++) {
    const startedAtMs = performance.now();
    const said = await register(server, BLUE, `steady/${i}`, { weight: 2 });
    expect(said.status).toBe(200);
    const init = { method: 'PUT', headers: headersOf(BLUE) };
    expect((await fetch(beat(said.lease?.id), init)).status).toBe(204);
    await until(() => reader.of('change').length > i, { everyMs: 1 });
    tookMs.push(performance.now() - startedAtMs);
  }
  isOver = true;
  const [writes, beats, watches] = await Promise.all(floods);
  expect(writes?.refused).toBeGreaterThan(25);
  expect(beats?.refused).toBeGreaterThan(25);
  expect(watches?.allowed).toBe(5);
  // Register, heartbeat and seeing it, on two cores that the flood shares.
  const median = tookMs.toSorted((a, b) => a - b)[10] as number;
  expect(median).toBeLessThan(250);
});
