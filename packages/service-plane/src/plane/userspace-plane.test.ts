import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  DgramDatagrams,
  TCP_OPTIONS,
  TcpServer,
  type Transport,
  UDP_OPTIONS,
  UdpServer,
} from '@rollcall/dataplane';
import {
  createService,
  createTarget,
  listenTcp,
  TargetList,
  transportUnderTest,
} from '@rollcall/dataplane/testing';
import { freePort } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import type { Frontend } from './service-plane.ts';
import { UserspacePlane } from './userspace-plane.ts';

const WAIT = { timeout: 30_000 };
const HOST = '127.96.2.1';

class CountingTransport implements Transport {
  readonly name = 'counting';
  readonly #inner = transportUnderTest();
  readonly sendQueues = this.#inner.sendQueues;
  listens = 0;

  listen(...given: Parameters<Transport['listen']>) {
    this.listens++;
    return this.#inner.listen(...given);
  }

  connect(...given: Parameters<Transport['connect']>) {
    return this.#inner.connect(...given);
  }
}

function start() {
  const runtime = new ManualClock();
  const parts = { clock: runtime };
  const transport = new CountingTransport();
  const changed: string[] = [];
  const plane = new UserspacePlane({
    tcp: new TcpServer(TCP_OPTIONS, { transport, ...parts }),
    udp: new UdpServer(UDP_OPTIONS, { datagrams: new DgramDatagrams(), ...parts }),
    onStatus: (owner) => changed.push(owner),
    ...parts,
  });
  onTestFinished(async () => {
    const closed = plane.close(0);
    runtime.advance(1_000);
    await closed;
  });
  return { plane, runtime, transport, changed };
}

/** A service that says its name. */
async function named(name: string) {
  const { port, close } = await listenTcp((socket) => socket.end(name));
  onTestFinished(close);
  return createService(new TargetList([createTarget(port, name)]));
}

async function ask(port: number, host = HOST): Promise<string> {
  const socket: Socket = connect({ port, host });
  let text = '';
  try {
    for await (const chunk of socket) text += String(chunk);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
  return text;
}

const states = (plane: UserspacePlane, owner: string) =>
  plane
    .statuses(owner)
    .map(({ state, code, detail }) =>
      code === '' ? `${state} ${detail}`.trim() : `${state} ${code}`,
    );

test('what is applied is served, what is no longer applied is not, and twice the same disturbs nothing', async () => {
  const { plane, transport, changed } = start();
  const [web, admin] = [await freePort(), await freePort()];
  const service = await named('web');
  const frontend = (port: number): Frontend => ({ protocol: 'TCP', host: HOST, port, service });
  plane.setFrontends('default/web', [frontend(web), frontend(admin)]);
  expect(states(plane, 'default/web')).toEqual(['binding', 'binding']);
  await expect.poll(() => states(plane, 'default/web'), WAIT).toEqual(['bound', 'bound']);
  expect(changed).toEqual(['default/web', 'default/web']);
  for (let i = 0; i < 50; i++) plane.setFrontends('default/web', [frontend(web), frontend(admin)]);
  expect(transport.listens).toBe(2);
  expect(await ask(web)).toBe('web');
  plane.setFrontends('default/web', [frontend(web)]);
  expect(await ask(admin)).toBe('ECONNREFUSED');
  expect(await ask(web)).toBe('web');
  plane.setFrontends('default/web', []);
  expect(plane.statuses('default/web')).toEqual([]);
  expect(await ask(web)).toBe('ECONNREFUSED');
});

test('closing serves the clients that the system has connected, and opens nothing anew', async () => {
  const { plane, runtime } = start();
  const port = await freePort();
  plane.setFrontends('a', [{ protocol: 'TCP', host: HOST, port, service: await named('one') }]);
  await expect.poll(() => states(plane, 'a'), WAIT).toEqual(['bound']);
  const answers = Array.from({ length: 20 }, () => ask(port));
  // The system has made each connection by now, and this process has not accepted any.
  await new Promise((resolve) => process.nextTick(resolve));
  const closed = plane.close(60_000);
  expect(await Promise.all(answers)).toEqual(Array(20).fill('one'));
  await closed;
  runtime.advance(60_000);
  expect(await ask(port)).toBe('ECONNREFUSED');
});

test('an address that another service has is handed on without being closed', async () => {
  const { plane, transport, changed } = start();
  const port = await freePort();
  const frontend = { protocol: 'TCP', host: HOST, port } as const;
  plane.setFrontends('a', [{ ...frontend, service: await named('a') }]);
  plane.setFrontends('b', [{ ...frontend, service: await named('b') }]);
  await expect.poll(() => states(plane, 'a'), WAIT).toEqual(['bound']);
  expect(states(plane, 'b')).toEqual(['taken a has it']);
  expect(await ask(port)).toBe('a');
  changed.length = 0;
  plane.setFrontends('a', []);
  expect(await ask(port)).toBe('b');
  expect(states(plane, 'b')).toEqual(['bound']);
  expect(changed).toEqual(['b']);
  expect(transport.listens).toBe(1);
});

test('an address that is taken is tried again until it is free', async () => {
  const { plane, runtime, changed } = start();
  const blocker = createServer().listen(0, HOST);
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  plane.setFrontends('web', [{ protocol: 'TCP', host: HOST, port, service: await named('web') }]);
  await expect.poll(() => states(plane, 'web'), WAIT).toEqual(['failed EADDRINUSE']);
  for (let i = 0; i < 5; i++) runtime.advance(500);
  expect(changed).toEqual(['web']);
  blocker.close();
  await once(blocker, 'close');
  await expect
    .poll(() => {
      runtime.advance(500);
      return states(plane, 'web');
    }, WAIT)
    .toEqual(['bound']);
  expect(await ask(port)).toBe('web');
});

test.each(['TCP', 'UDP'] as const)(
  'an address that this machine does not have: %s',
  async (protocol) => {
    const { plane } = start();
    const service = await named('web');
    plane.setFrontends('web', [{ protocol, host: '192.0.2.9', port: 80, service }]);
    await expect.poll(() => states(plane, 'web'), WAIT).toEqual(['failed EADDRNOTAVAIL']);
  },
);

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

test.skipIf(!hasIpv6)('IPv6, with clients in their own notation (skipped without it)', async () => {
  const { plane } = start();
  const service = await named('web');
  const port = await freePort();
  const seen: string[] = [];
  const admits = (address: string) => seen.push(address) > 0;
  const wide = await freePort();
  plane.setFrontends('web', [
    { protocol: 'TCP', host: '::1', port, service: { ...service, admits } },
    { protocol: 'UDP', host: '::1', port, service },
    { protocol: 'TCP', host: '::', port: wide, service: { ...service, admits } },
  ]);
  await expect.poll(() => states(plane, 'web'), WAIT).toEqual(['bound', 'bound', 'bound']);
  expect(await ask(port, '::1')).toBe('web');
  expect(await ask(wide, '127.0.0.1')).toBe('web');
  expect(seen).toEqual(['::1', '127.0.0.1']);
});

test('given up and wanted again while it is being bound', async () => {
  const { plane, transport } = start();
  const port = await freePort();
  const frontend: Frontend = { protocol: 'TCP', host: HOST, port, service: await named('web') };
  plane.setFrontends('web', [frontend]);
  plane.setFrontends('web', []);
  plane.setFrontends('web', [frontend]);
  await expect.poll(() => states(plane, 'web'), WAIT).toEqual(['bound']);
  expect(transport.listens).toBe(1);
  plane.setFrontends('web', []);
  plane.setFrontends('web', [frontend]);
  plane.setFrontends('web', []);
  await expect.poll(() => ask(port), WAIT).toBe('ECONNREFUSED');
});
