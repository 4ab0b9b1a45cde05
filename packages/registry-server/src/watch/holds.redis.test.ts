import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ChaosProxy, until } from '@rollcall/testkit';
import { afterEach, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

let made = 0;

/** Two servers of one roll; the second one is a little farther from Redis. */
async function startServers(): Promise<readonly [RegistryServer, RegistryServer]> {
  const { port, pathname } = new URL(inject('redisUrl'));
  const proxy = await ChaosProxy.start(Number(port));
  closers.push(() => proxy.close());
  proxy.set({ delayMs: 30 });
  const prefix = `--store-prefix=holds-${process.pid}-${made++}`;
  const start = async (storePort: number | string) => {
    const path = pathname === '/' ? '' : pathname;
    const server = await startTestServer(`--store=redis://127.0.0.1:${storePort}${path}`, prefix);
    closers.push(() => server.close());
    await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
    return server;
  };
  return [await start(port), await start(proxy.port)];
}

async function opened({ url }: RegistryServer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

test.each([
  ['the same server', 0],
  ['another, slower one', 1],
] as const)(
  'G2: a heartbeat that is under way to %s when its process dies does not make it live',
  async (_, index) => {
    const servers = await startServers();
    const [holding] = servers;
    const path = `${holding.url}/v1/namespaces/default/services/orders`;
    const headers = { 'content-type': 'application/json' };
    const registered = JSON.stringify({ ports: { http: 1 }, nonce: 'process-1', ttlMs: 6_000 });
    const put = { method: 'PUT', headers, body: registered };
    const reply = await fetch(`${path}/instances/a`, put);
    const { lease } = (await reply.json()) as { lease: { id: string } };
    const hold = await opened(holding);
    hold.write(`GET /v1/leases/hold?lease=${lease.id} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(hold, 'data');
    const beat = await opened(servers[index]);

    const body = JSON.stringify({ leases: [lease.id] });
    const head = `host: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    beat.write(`POST /v1/leases/renew HTTP/1.1\r\n${head}\r\n\r\n${body}`);
    hold.destroy();
    beat.destroy();
    // Well before the time at which a suspect goes, and the heartbeat has long been counted.
    const kinds = async () => {
      const events = await fetch(`${holding.url}/v1/events?service=orders`);
      return ((await events.json()) as { events: { kind: string }[] }).events.map(
        ({ kind }) => kind,
      );
    };
    await until(async () => (await kinds()).includes('recovered'));
    const state = async () => {
      const endpoints = await fetch(`${path}/endpoints`);
      return ((await endpoints.json()) as { endpoints: { state: string }[] }).endpoints[0]?.state;
    };
    await until(async () => (await state()) === 'suspect', { withinMs: 1_000 });
    await until(async () => (await fetch(`${path}/instances/a`)).status === 404);
  },
);

test('G2: a hold that its caller gave up on before it was heard does not take the place of the one relied on', async () => {
  const [server] = await startServers();
  const path = `${server.url}/v1/namespaces/default/services/held/instances/b`;
  const body = JSON.stringify({ ports: { http: 3_000 }, ttlMs: 6_000 });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(path, { method: 'PUT', headers, body });
  const { lease } = (await reply.json()) as { lease: { id: string } };
  const request = `GET /v1/leases/hold?lease=${lease.id} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  const real = await opened(server);
  real.write(request);
  await once(real, 'data');
  // Request and end in one go, as a server finds them that was stopped in the meantime.
  const given = await Promise.all(Array.from({ length: 5 }, () => opened(server)));
  const ends = given.map((socket) => once(socket, 'close'));
  for (const socket of given) {
    socket.resume();
    socket.end(request);
  }
  await Promise.all(ends);
  const state = async () => ((await (await fetch(path)).json()) as { state: string }).state;
  expect(await state()).toBe('up');
  const killedAtMs = performance.now();
  real.destroy();
  await until(async () => (await state()) === 'suspect');
  expect(performance.now() - killedAtMs).toBeLessThan(250);
});
