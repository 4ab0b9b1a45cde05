import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, type Dispatcher, interceptors, request, RetryAgent } from 'undici';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CallOptions } from '../api/options.ts';
import type { Rollcall } from '../rollcall.ts';
import type { Answer } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';
import { EndpointChannel } from './endpoint-channel.ts';

const context = new TestContext();
/** What would have ended the process. */
const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
process.on('unhandledRejection', note);
process.on('uncaughtExceptionMonitor', note);
afterEach(async () => {
  await context.end();
  await new Promise((done) => setImmediate(done));
  expect(uncaught.splice(0)).toEqual([]);
});

const text = async (reply: Promise<Dispatcher.ResponseData>) => (await reply).body.text();

/** Counts what a handler is told at the end of a call. */
class Ends implements Dispatcher.DispatchHandler {
  readonly told: unknown[] = [];
  onRequestStart(): void {}
  onResponseStart(): void {}
  onResponseData(): void {}
  onResponseEnd(): void {
    this.told.push('end');
  }
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.told.push(error);
  }
}

/** Dispatches to `orders` as undici would. */
const dispatcherOf = (client: Rollcall) => ({
  dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) =>
    client.interceptor()(() => false)({ ...options, origin: 'http://orders.rollcall' }, handler),
});

describe('a channel to where no connection can be', () => {
  test.each(['web.1.', 'a.0x1', '1.2.3', ''])('%j throws what says so', (address) => {
    const transport = { scheme: 'http', http2: false, names: ['orders'] } as const;
    const options = { connectTimeoutMs: 1, maxConnections: 1 } as CallOptions;
    const channel = new EndpointChannel(endpointAt(1, { address }), transport, options);
    expect(() => channel.pool).toThrow(/is no address to connect to/);
  });
});

describe('a pool that cannot be made is the fault of its endpoint', () => {
  test('nothing but such an endpoint: the call fails, and the process goes on', async () => {
    const { service } = await serveOrders(context, [1]);
    vi.spyOn(EndpointChannel.prototype, 'pool', 'get').mockImplementation(() => {
      throw new TypeError('Invalid URL');
    });
    context.onEnd(() => vi.restoreAllMocks());
    await expect(service.request('/x')).rejects.toMatchObject({
      code: 'connect_failed',
      mayHaveBeenProcessed: false,
    });
    await expect(service.fetch('/x')).rejects.toMatchObject({ cause: { code: 'connect_failed' } });
    expect(service.stats()).toMatchObject({ inFlight: 0 });
    expect(service.stats().ejections).toBeGreaterThan(0);
  });

  test('the others answer, and it is left out', async () => {
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [1, alive.port]);
    breakPools();
    for (let call = 0; call < 6; call++)
      expect(await text(service.request('/x', { method: 'POST', body: 'b' }))).toBe('alive');
    expect(service.stats()).toMatchObject({ retries: 1, ejections: 1, failures: 0, inFlight: 0 });
  });
});

describe('a pool that cannot be made at a later try', () => {
  const dies: Answer = (incoming) => incoming.socket.destroy();
  const ways: [string, (() => string) | undefined][] = [
    ['without a body', undefined],
    ['with one that is made anew', () => 'b'],
  ];

  test.each(ways)('the next one answers, %s', async (_, body) => {
    const dying = await backendOf(context, 'dying', dies);
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [dying.port, 1, alive.port]);
    breakPools();
    expect(await text(service.request('/x', { method: 'PUT', body }))).toBe('alive');
    expect(dying.seen).toHaveLength(1);
    expect(service.stats()).toMatchObject({ retries: 2, failures: 0, inFlight: 0 });
  });

  test.each(ways)('with nobody else the call ends once, %s', async (_, body) => {
    const dying = await backendOf(context, 'dying', dies);
    const { service } = await serveOrders(context, [dying.port, 1]);
    breakPools();
    await expect(service.request('/x', { method: 'PUT', body })).rejects.toMatchObject({
      code: 'response_lost',
      mayHaveBeenProcessed: true,
      message: expect.stringMatching(/Invalid URL \(instance i-1 at 127\.0\.0\.1:1, try 2\)/),
    });
    expect(service.stats()).toMatchObject({ retries: 1, failures: 1, inFlight: 0 });
  });

  test('at the last try, which is sent a little later', async () => {
    const [one, other] = [
      await backendOf(context, 'one', dies),
      await backendOf(context, 'other', dies),
    ];
    const { service } = await serveOrders(context, [one.port, other.port, 1]);
    breakPools();
    await expect(service.request('/x')).rejects.toMatchObject({
      code: 'response_lost',
      message: expect.stringMatching(/Invalid URL .*, try 3\)/),
    });
    expect(service.stats()).toMatchObject({ retries: 2, failures: 1, inFlight: 0 });
  });
});

describe("what the caller's side throws ends the call once, and no instance is blamed", () => {
  const eager = { calls: { ejection: { failuresInARow: 1 } } };

  test('a body function, at the first try and at a later one', async () => {
    const dying = await backendOf(context, 'dying', (incoming) => incoming.socket.destroy());
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [alive.port, dying.port]);
    const fail = () => {
      throw new Error('no body');
    };
    await expect(service.request('/x', { method: 'POST', body: fail })).rejects.toThrow('no body');
    expect(service.stats()).toMatchObject({ ejections: 0, inFlight: 0 });
    for (const body of [() => Promise.reject(new Error('async')), () => Promise.resolve('b')]) {
      const given = body as unknown as () => string;
      const pending = service.request('/x', { method: 'POST', body: given });
      await expect(pending).rejects.toThrow(/got a promise/);
    }
    let made = 0;
    const second = () => (++made === 1 ? 'b' : fail());
    await expect(service.request('/x', { method: 'PUT', body: second })).rejects.toMatchObject({
      code: 'response_lost',
      mayHaveBeenProcessed: true,
      cause: expect.objectContaining({ message: 'no body' }),
    });
    expect(service.stats()).toMatchObject({ inFlight: 0 });
  });

  const callbacks = [
    'onRequestStart',
    'onResponseStarted',
    'onBodySent',
    'onRequestSent',
    'onResponseStart',
    'onResponseData',
    'onResponseEnd',
  ] as const;
  test.each(callbacks)('a handler that throws in %s', async (callback) => {
    const alive = await backendOf(context, 'alive');
    const { client, service } = await serveOrders(context, [alive.port], eager);
    const handler = new Ends();
    const thrown = new Error('handler');
    handler[callback as 'onResponseData'] = () => {
      throw thrown;
    };
    dispatcherOf(client).dispatch({ path: '/x', method: 'POST', body: 'b' }, handler);
    await until(() => handler.told.length > 0);
    await until(() => service.stats().inFlight === 0);
    expect(handler.told).toEqual([thrown]);
    expect(service.stats()).toMatchObject({ ejections: 0, retries: 0 });
    expect(await text(service.request('/y'))).toBe('alive');
  });

  test('a handler that throws at the very end is told to the process', async () => {
    const warn = vi.fn<(message: string, error: unknown) => void>();
    const { client } = await serveOrders(context, [], { runtime: { warn } });
    const handler = new Ends();
    handler.onResponseError = () => {
      throw new Error('too late');
    };
    dispatcherOf(client).dispatch({ path: '/x', method: 'GET' }, handler);
    await until(() => warn.mock.calls.length === 1);
    expect(warn.mock.calls[0]?.[0]).toContain('default/orders');
  });

  test('what is no handler is refused at once', async () => {
    const { client } = await serveOrders(context, []);
    const nothing = {} as Dispatcher.DispatchHandler;
    const dispatch = () => dispatcherOf(client).dispatch({ path: '/x', method: 'GET' }, nothing);
    expect(dispatch).toThrow(/expected a handler/);
  });

  const uploads: [string, () => unknown][] = [
    [
      'a stream that fails',
      () => failingStream(Object.assign(new Error('source'), { code: 'ECONNRESET' })),
    ],
    ['an iterator that fails', failingIterator],
    [
      'a web stream that fails',
      () => new ReadableStream({ pull: (c) => c.error(new Error('source')) }),
    ],
    ['a Blob that cannot be read', () => failingBlob()],
    ['a body of no known kind', () => 17],
    ['pieces of no known kind', () => Readable.from([{ piece: 1 }])],
  ];
  test.each(uploads)('%s', async (_, bodyOf) => {
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [alive.port], eager);
    for (let call = 0; call < 3; call++) {
      const body = bodyOf() as Readable;
      await expect(service.request('/x', { method: 'POST', body })).rejects.toThrow(/./);
    }
    expect(service.stats()).toMatchObject({ ejections: 0, retries: 0, inFlight: 0 });
    expect(await text(service.request('/y'))).toBe('alive');
  });

  test('clients that leave in the middle of their upload', async () => {
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [alive.port], eager);
    const outcomes: unknown[] = [];
    const proxy = await backendServer((incoming) =>
      service
        .request('/up', { method: 'POST', body: incoming })
        .catch((error) => outcomes.push(error)),
    );
    for (let upload = 1; upload <= 3; upload++) {
      const client = proxy.connect();
      client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf');
      await until(() => service.stats().inFlight === 1);
      client.destroy();
      await until(() => outcomes.length === upload);
    }
    expect(service.stats()).toMatchObject({ ejections: 0, inFlight: 0 });
  });

  test('an instance that dies under an upload is to blame all the same', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.onEnd(() => server.close());
    const { port } = server.address() as { port: number };
    const { service } = await serveOrders(context, [port], eager);
    const body = new Readable({ read: () => {} });
    body.push('half');
    await expect(service.request('/x', { method: 'POST', body })).rejects.toMatchObject({
      code: 'response_lost',
    });
    expect(service.stats()).toMatchObject({ ejections: 1, inFlight: 0 });
  });
});

describe('a retry handler around it', () => {
  const flaky = (): Answer => {
    let requests = 0;
    return (_, response) => {
      if (++requests === 1) response.writeHead(503).end('busy');
      else response.end('ok');
    };
  };
  const retry = { minTimeout: 1, maxTimeout: 5 };
  const ways: [string, (composed: Agent) => Dispatcher][] = [
    ['RetryAgent', (composed) => new RetryAgent(composed, retry)],
    ['interceptors.retry', (composed) => composed.compose(interceptors.retry(retry))],
    [
      'interceptors.retry that does not throw',
      (composed) => composed.compose(interceptors.retry({ ...retry, throwOnError: false })),
    ],
  ];
  test.each(ways)('%s: the second answer is the one', async (_, around) => {
    const backend = await backendOf(context, 'flaky', flaky());
    const { client } = await serveOrders(context, [backend.port]);
    const agent = new Agent();
    context.onEnd(() => agent.destroy());
    const dispatcher = around(agent.compose(client.interceptor()) as Agent);
    const reply = await request('http://orders.rollcall/', { dispatcher });
    expect([reply.statusCode, await reply.body.text()]).toEqual([200, 'ok']);
    expect(backend.seen).toHaveLength(2);
  });
});

describe('an abort before there is a connection', () => {
  const enough = new Error('enough');

  test('while it connects: at once, with the reason, and nobody else is tried', async () => {
    const other = await backendOf(context, 'other');
    const hanging = await fullBacklog();
    const { service } = await serveOrders(context, [hanging, other.port], {
      calls: { connectTimeoutMs: 400 },
    });
    const given = new AbortController();
    const pending = service.request('/x', { signal: given.signal });
    await until(() => service.stats().inFlight === 1);
    given.abort(enough);
    await expect(pending).rejects.toBe(enough);
    expect(service.stats()).toMatchObject({ inFlight: 0, retries: 0 });
    // Its connect fails all the same, which speaks of the endpoint and not of who aborted.
    await until(() => service.stats().ejections === 1);
    expect(other.seen).toEqual([]);
  });

  test('given already aborted, with nobody there', async () => {
    const { service } = await serveOrders(context, []);
    const pending = service.request('/x', { signal: AbortSignal.abort(enough), waitMs: 600_000 });
    await expect(pending).rejects.toBe(enough);
  });

  test('while it waits for an endpoint, by fetch too', async () => {
    const { service } = await serveOrders(context, [], { noEndpointWaitMs: 600_000 });
    const given = new AbortController();
    const pending = [
      service.request('/x', { signal: given.signal }),
      service.fetch('/x', { signal: given.signal }),
    ];
    given.abort(enough);
    for (const one of pending) await expect(one).rejects.toBe(enough);
  });

  test('while every connection is busy', async () => {
    const answers: (() => void)[] = [];
    const slow = await backendOf(context, 'slow', (_, response) =>
      answers.push(() => response.end('slow')),
    );
    const { service } = await serveOrders(context, [slow.port], { calls: { maxConnections: 1 } });
    const first = text(service.request('/first'));
    await until(() => answers.length === 1);
    const given = new AbortController();
    const queued = service.request('/queued', { signal: given.signal });
    given.abort(enough);
    await expect(queued).rejects.toBe(enough);
    expect(service.stats().inFlight).toBe(1);
    answers[0]?.();
    expect(await first).toBe('slow');
    await until(() => service.stats().inFlight === 0);
    const last = text(service.request('/last'));
    await until(() => answers.length === 2);
    answers[1]?.();
    expect(await last).toBe('slow');
    expect(slow.seen).toEqual(['GET /first', 'GET /last']);
  });
});

test('an answer that nobody reads gives its connection back', async () => {
  const large = Buffer.alloc(5_000_000, 'x');
  const sender = await backendOf(context, 'large', (incoming, response) =>
    response.end(incoming.url === '/large' ? large : 'small'),
  );
  const { service } = await serveOrders(context, [sender.port], {
    calls: { maxConnections: 2, bodyTimeoutMs: 200, ejection: { failuresInARow: 1 } },
  });
  const unread = [await service.request('/large'), await service.fetch('/large')] as const;
  expect(await text(service.request('/small'))).toBe('small');
  await until(() => service.stats().inFlight === 0);
  await expect(unread[0].body.text()).rejects.toMatchObject({
    code: 'response_lost',
    message: expect.stringMatching(
      /body of an answer of default\/orders was left unread for \d+ ms/,
    ),
  });
  await expect(unread[1].text()).rejects.toThrow(/./);
  expect(service.stats()).toMatchObject({ inFlight: 0, ejections: 0 });
  // One that is read, however slowly, goes on.
  const { body } = await service.request('/large');
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes < 2_000_000) await new Promise((done) => setTimeout(done, 5));
  }
  expect(bytes).toBe(large.length);
});

/** No pool can be made for port 1. */
function breakPools(): void {
  const real = Object.getOwnPropertyDescriptor(EndpointChannel.prototype, 'pool')!;
  vi.spyOn(EndpointChannel.prototype, 'pool', 'get').mockImplementation(function (
    this: EndpointChannel,
  ) {
    if (this.endpoint.port === 1) throw new TypeError('Invalid URL');
    return real.get!.call(this) as EndpointChannel['pool'];
  });
  context.onEnd(() => vi.restoreAllMocks());
}

function failingStream(error: Error): Readable {
  let isBegun = false;
  return new Readable({
    read() {
      if (isBegun) setImmediate(() => this.destroy(error));
      else this.push('half');
      isBegun = true;
    },
  });
}

/** Told to undici by no event, and by no piece. */
function failingBlob(): Blob {
  const blob = new Blob(['half']);
  blob.stream = () => new ReadableStream({ pull: (c) => c.error(new Error('source')) });
  return blob;
}

async function* failingIterator(): AsyncGenerator<string> {
  yield 'half';
  throw Object.assign(new Error('source'), { code: 'EPIPE' });
}

/** An HTTP server whose requests are handed on as they begin. */
async function backendServer(onRequest: (incoming: Readable) => unknown) {
  const server = createHttpServer((incoming) => void onRequest(incoming));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.onEnd(() => server.close());
  const { port } = server.address() as { port: number };
  return { connect: (): Socket => connect(port, '127.0.0.1').on('error', () => {}) };
}

/** A port whose queue of connections is full: further ones get no answer. */
async function fullBacklog(): Promise<number> {
  const server = createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  // Nothing is accepted while this process is the one that would have to: a child holds the port instead.
  server.close();
  await once(server, 'close');
  const script = `require('net').createServer().listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write('up'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.onEnd(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  for (let filler = 0; filler < 4; filler++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    context.onEnd(() => socket.destroy());
  }
  return port;
}
