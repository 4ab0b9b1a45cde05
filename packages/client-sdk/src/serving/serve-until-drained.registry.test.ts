import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Endpoint } from '@rollcall/contract';
import { startTestServer, StreamReader } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SignalSource } from '../base/runtime.ts';
import { Rollcall } from '../rollcall.ts';
import type { Drained } from './drainable-server.ts';
import type { ServeOptions } from './serve-options.ts';
import { serveUntilDrained } from './serve-until-drained.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The signals of one of several processes that a test plays. */
class PlayedSignals extends EventEmitter implements SignalSource {
  readonly raised: string[] = [];
  raise(signal: NodeJS.Signals): void {
    this.raised.push(signal);
  }
}

let registry: Awaited<ReturnType<typeof startTestServer>>;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  registry = await startTestServer();
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await registry.close();
});

function clientWith(signals: SignalSource): Rollcall {
  const client = new Rollcall({ url: registry.url, runtime: { signals } });
  endings.push(() => client.close());
  return client;
}

interface Instance {
  readonly id: string;
  readonly port: number;
  readonly server: Server;
  readonly signals: PlayedSignals;
  readonly drained: Promise<Drained>;
}

async function instance(
  id: string,
  handler: Handler,
  options: ServeOptions = {},
): Promise<Instance> {
  const signals = new PlayedSignals();
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const registration = await clientWith(signals).register({ service: 'orders', id, port });
  const drained = serveUntilDrained(server, registration, options);
  return { id, port, server, signals, drained };
}

/** Answers with what was sent, and writes it down. */
const writingTo =
  (ledger: string[]): Handler =>
  (request, response) => {
    ledger.push(request.headers['x-call'] as string);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => setTimeout(() => response.end(body), Math.random() * 4));
  };

test('instances that are replaced under load fail no call, and answer none twice', async () => {
  const served: string[] = [];
  const caller = clientWith(new PlayedSignals());
  const orders = caller.service('orders');
  const instances = [];
  // Every caller says that it knows, so nobody waits for this long.
  const options = { settleMs: 600_000 };
  for (let i = 0; i < 3; i++) instances.push(await instance(`i-${i}`, writingTo(served), options));
  await until(() => orders.endpoints().length === 3);
  const [asked, failed]: [string[], unknown[]] = [[], []];
  const over = new AbortController();
  const load = Array.from({ length: 16 }, async (_, caller_) => {
    for (let n = 0; !over.signal.aborted; n++) {
      const id = `${caller_}-${n}`;
      asked.push(id);
      const method = n % 2 === 0 ? 'GET' : 'POST';
      const body = method === 'POST' ? id : undefined;
      await orders
        .request('/', { method, headers: { 'x-call': id }, ...(body && { body }) })
        .then(async (reply) => expect(await reply.body.text()).toBe(body ?? ''))
        .catch((error: unknown) => failed.push(error));
    }
  });
  for (let i = 3; i < 9; i++) {
    instances.push(await instance(`i-${i}`, writingTo(served), options));
    const leaving = instances[i - 3]!;
    leaving.signals.emit('SIGTERM');
    expect(await leaving.drained).toEqual({ cutOff: 0, isDeregistered: true });
    expect(leaving.server.listening).toBe(false);
    expect(leaving.signals.raised).toEqual([]);
    expect(leaving.signals.listenerCount('SIGTERM')).toBe(0);
  }
  over.abort();
  await Promise.all(load);
  expect(failed).toEqual([]);
  expect(served.toSorted()).toEqual(asked.toSorted());
}, 60_000);

const hello: Handler = (_, response) => response.end('hello');

describe('connections of callers that know nothing of the roll', () => {
  /** A connection that is kept, over which requests go one by one. */
  async function kept(port: number) {
    const socket = connect(port, '127.0.0.1');
    endings.push(() => socket.destroy());
    await once(socket, 'connect');
    const heads: string[] = [];
    socket.on('data', (chunk: Buffer) => heads.push(chunk.toString()));
    const ask = async () => {
      const before = heads.length;
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await until(() => heads.length > before || socket.destroyed);
      return heads.at(-1) ?? '';
    };
    return { socket, ask };
  }

  test('are asked to leave by the next answer, and answered until then', async () => {
    const one = await instance('a', (_, response) => response.end('hello'), {
      lingerMs: 1_000,
      settleMs: 0,
    });
    const { socket, ask } = await kept(one.port);
    expect(await ask()).toMatch(/connection: keep-alive/i);
    one.signals.emit('SIGTERM');
    const answer = async () => /connection: (\S+)/i.exec(await ask())?.[1];
    await until(async () => (await answer()) === 'close');
    await until(() => socket.destroyed);
    expect(await one.drained).toMatchObject({ cutOff: 0 });
  });

  test('are closed when nothing comes, and not while an answer is made', async () => {
    let answer = () => {};
    const one = await instance('a', (_, response) => (answer = () => void response.end('late')), {
      lingerMs: 20,
    });
    const [idle, busy] = [await kept(one.port), await kept(one.port)];
    const asked = busy.ask();
    await until(() => one.server.listenerCount('request') > 0 && answer.toString() !== '() => {}');
    one.signals.emit('SIGTERM');
    await until(() => idle.socket.destroyed);
    expect(busy.socket.destroyed).toBe(false);
    answer();
    expect(await asked).toMatch(/connection: close[^]*late/i);
    expect(await one.drained).toMatchObject({ cutOff: 0 });
  });
});

test('a caller that never says that it knows is waited for, but not longer than it may take', async () => {
  const one = await instance('a', (_, response) => response.end('hello'), { settleMs: 400 });
  const silent = await StreamReader.open(`${registry.url}/v1/watch?service=orders&acks=1`);
  endings.push(() => silent.close());
  await until(() => silent.of('bookmark').length > 0);
  one.signals.emit('SIGTERM');
  const states = () => silent.of('change').map(({ upserts }) => (upserts as Endpoint[])[0]?.state);
  await until(() => states().includes('draining'));
  const beganMs = performance.now();
  expect(await one.drained).toEqual({ cutOff: 0, isDeregistered: true });
  expect(performance.now() - beganMs).toBeGreaterThan(350);
});

test('what does not end by itself is ended by the application, or cut off', async () => {
  let end = () => {};
  const stream: Handler = (_, response) => {
    response.writeHead(200).write('first');
    end = () => void response.end('bye');
  };
  const never: Handler = (_, response) => void response.writeHead(200).write('first');
  const told = await instance('a', stream, { closeStreams: () => end(), lingerMs: 20 });
  const cut = await instance('b', never, { graceMs: 100, lingerMs: 20 });
  const seen = await Promise.all(
    [told, cut].map(async ({ port }) => {
      const reply = await fetch(`http://127.0.0.1:${port}/`);
      return { body: reply.text().catch(() => 'cut off') };
    }),
  );
  told.signals.emit('SIGTERM');
  expect(await told.drained).toMatchObject({ cutOff: 0 });
  expect(await seen[0]!.body).toBe('firstbye');
  cut.signals.emit('SIGTERM');
  expect(await cut.drained).toMatchObject({ cutOff: 1 });
  expect(await seen[1]!.body).toBe('cut off');
});

test('requests that were sent one after another without waiting are all answered', async () => {
  const answers: (() => void)[] = [];
  const one = await instance('a', ({ url }, response) => answers.push(() => response.end(url)), {
    lingerMs: 20,
    settleMs: 0,
  });
  const socket = connect(one.port, '127.0.0.1');
  endings.push(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(['/1', '/2', '/3'].map((url) => `GET ${url} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''));
  await until(() => answers.length === 3);
  one.signals.emit('SIGTERM');
  const caller = clientWith(new PlayedSignals());
  await until(async () =>
    (await caller.call('listInstances', { params: { ns: '*' } })).instances.some(
      ({ state }) => state === 'draining',
    ),
  );
  for (const answer of answers) answer();
  await until(() => socket.destroyed);
  expect(text.match(/^connection: \S+/gim)).toEqual([
    'Connection: keep-alive',
    'Connection: keep-alive',
    'connection: close',
  ]);
  expect(text).toMatch(/\/1[^]*\/2[^]*\/3/);
  expect(await one.drained).toMatchObject({ cutOff: 0 });
});

test('a connection without its TLS, and listeners, are not left behind', async () => {
  const pem = readFileSync(new URL('../testing/tls/orders.pem', import.meta.url));
  const server = createSecureServer({ key: pem, cert: pem }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const registration = await clientWith(new PlayedSignals()).register({ service: 'orders', port });
  const before = server.eventNames().map((name) => [name, server.listenerCount(name)]);
  const stop = new AbortController();
  const drained = serveUntilDrained(server, registration, {
    signals: false,
    signal: stop.signal,
    lingerMs: 20,
  });
  const silent = connect(port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent, 'connect');
  stop.abort();
  expect(await drained).toEqual({ cutOff: 0, isDeregistered: true });
  await until(() => silent.destroyed);
  expect(server.eventNames().map((name) => [name, server.listenerCount(name)])).toEqual(before);
});

describe('what begins a drain', () => {
  test('an instance that has left already', async () => {
    const server = createServer(hello).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = clientWith(new PlayedSignals());
    const registration = await client.register({ service: 'orders', port: 1 });
    await client.close();
    const drained = await serveUntilDrained(server, registration, { signals: false, lingerMs: 20 });
    expect(drained).toMatchObject({ cutOff: 0 });
    expect(server.listening).toBe(false);
  });

  test('an abort', async () => {
    const stop = new AbortController();
    const one = await instance('a', hello, { signals: false, signal: stop.signal });
    expect(one.signals.listenerCount('SIGTERM')).toBe(0);
    stop.abort();
    expect(await one.drained).toMatchObject({ cutOff: 0, isDeregistered: true });
  });

  test('a second signal does not wait', async () => {
    const one = await instance('a', hello, { settleMs: 60_000 });
    one.signals.emit('SIGTERM');
    one.signals.emit('SIGTERM');
    expect(one.signals.raised).toEqual(['SIGTERM']);
  });

  test('a registry that is away does not keep an instance', async () => {
    const one = await instance('a', hello, { lingerMs: 20 });
    await registry.close();
    one.signals.emit('SIGTERM');
    expect(await one.drained).toEqual({ cutOff: 0, isDeregistered: false });
    registry = await startTestServer();
  }, 30_000);
});

test('wrong arguments are named', async () => {
  const registration = await clientWith(new PlayedSignals()).register({ service: 'a', port: 1 });
  const server = createServer();
  const wrong = [
    [() => serveUntilDrained({} as Server, registration), /^option server: expected a server of/],
    [() => serveUntilDrained(server, {} as typeof registration), /^option registration: expected/],
    [() => serveUntilDrained(server, registration, { lingerMs: -1 }), /^option lingerMs: .*got -1/],
    [
      () => serveUntilDrained(server, registration, { signals: ['SIGKILL'] }),
      /^option signals: expected true, false or a list/,
    ],
    [
      () => serveUntilDrained(server, registration, { lingerms: 1 } as ServeOptions),
      /^option lingerms: .*lingerMs/,
    ],
  ] as const;
  for (const [call, message] of wrong) await expect(call()).rejects.toThrow(message);
});
