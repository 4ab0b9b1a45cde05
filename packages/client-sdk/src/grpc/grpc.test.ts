import {
  Client,
  credentials,
  experimental,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { STATE_TABLE } from '@rollcall/contract';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { until } from '@rollcall/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RollcallOptions } from '../api/options.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { serveOrders } from '../testing/served.ts';
import { ServiceHandle } from '../service/service-handle.ts';
import { registerGrpcResolver } from './index.ts';
import { assertNeeded } from './needed.ts';
import { ServiceResolver } from './service-resolver.ts';

const context = new TestContext();
afterEach(async () => {
  vi.restoreAllMocks();
  await context.end();
});

const same = (bytes: Buffer) => bytes;
const UNARY = '/shop.Orders/Name';
const STREAM = '/shop.Orders/Names';
const SLOW = '/shop.Orders/SlowNames';
const METHOD = {
  requestStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

/** A gRPC server that answers with its name. */
async function startServer(name: string) {
  const server = new Server();
  const state = { calls: 0, code: status.OK, delayMs: 0 };
  server.addService(
    {
      name: { ...METHOD, path: UNARY, responseStream: false },
      names: { ...METHOD, path: STREAM, responseStream: true },
      slowNames: { ...METHOD, path: SLOW, responseStream: true },
    },
    {
      name: (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        state.calls++;
        setTimeout(() => {
          if (state.code === status.OK) done(null, Buffer.from(name));
          else done({ code: state.code, details: 'as asked' });
        }, state.delayMs);
      },
      names: (call: ServerWritableStream<Buffer, Buffer>) => {
        state.calls++;
        for (let i = 0; i < 3; i++) call.write(Buffer.from(name));
        call.end();
      },
      slowNames: (call: ServerWritableStream<Buffer, Buffer>) => {
        let left = 3;
        const writing = setInterval(() => {
          call.write(Buffer.from(name));
          if (--left > 0) return;
          clearInterval(writing);
          call.end();
        }, 300);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number) => (error ? reject(error) : resolve(bound));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
  });
  context.onEnd(() => server.forceShutdown());
  return { server, state, port, name };
}

/** A way to a server that can be cut, as when its machine dies. */
async function startWay(to: number) {
  const sockets = new Set<Socket>();
  const way = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far).pipe(near);
  });
  const cut = () => {
    way.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  context.onEnd(cut);
  return { port: (way.address() as AddressInfo).port, cut };
}

async function serve(count: number, options: Partial<RollcallOptions> = {}) {
  const servers = await Promise.all(Array.from({ length: count }, (_, i) => startServer(`s${i}`)));
  const at = ({ port }: { port: number }) => endpointAt(port, { portName: 'grpc' });
  const { client, registry, service } = await serveOrders(context, servers.map(at), options);
  registerGrpcResolver(client);
  return { servers, client, registry, service, at };
}

function open(target = 'rollcall:///orders', options = {}): Client {
  const client = new Client(target, credentials.createInsecure(), options);
  context.onEnd(() => client.close());
  return client;
}

function ask(client: Client, deadlineMs = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + deadlineMs;
    const options = { deadline };
    let hasBegun = false;
    const done = (error: Error | null, reply?: Buffer) =>
      error === null ? resolve(String(reply)) : reject(Object.assign(error, { hasBegun }));
    client
      .makeUnaryRequest(UNARY, same, same, Buffer.of(), new Metadata(), options, done)
      .on('metadata', () => {
        hasBegun = true;
      });
  });
}

async function asked(client: Client, count: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const name = await ask(client);
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** Calls without a pause until it is stopped. */
class Load {
  readonly seen = new Map<string, number>();
  readonly failures: (Error & { readonly hasBegun: boolean })[] = [];
  #isOver = false;
  readonly #callers: Promise<void>[];

  constructor(client: Client) {
    this.#callers = [1, 2, 3, 4].map(() => this.#run(client));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #run(client: Client): Promise<void> {
    while (!this.#isOver) {
      await ask(client).then(
        (name) => this.seen.set(name, (this.seen.get(name) ?? 0) + 1),
        (error: Error & { readonly hasBegun: boolean }) => this.failures.push(error),
      );
    }
  }
}

/** Methods that may be repeated, as a caller says it to grpc-js. */
const IDEMPOTENT = {
  'grpc.service_config': JSON.stringify({
    methodConfig: [
      {
        name: [{ service: 'shop.Orders' }],
        retryPolicy: {
          maxAttempts: 4,
          initialBackoff: '0.01s',
          maxBackoff: '0.1s',
          backoffMultiplier: 2,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
  }),
};

describe('a channel to rollcall:///orders', () => {
  test('calls in turn, and streams', async () => {
    await serve(3, { policy: 'round-robin' });
    const client = open();
    await ask(client);
    await until(async () => Object.keys(await asked(client, 6)).length === 3);
    expect(await asked(client, 9)).toEqual({ s0: 3, s1: 3, s2: 3 });
    const stream = client.makeServerStreamRequest(STREAM, same, same, Buffer.of());
    const names: string[] = [];
    for await (const bytes of stream) names.push(String(bytes));
    expect(new Set(names).size).toBe(1);
    expect(names).toHaveLength(3);
  });

  test('grows and shrinks under load without an error, and asks for nothing in a hurry', async () => {
    const updates = vi.spyOn(ServiceResolver.prototype, 'updateResolution');
    const { registry, at } = await serve(2, { policy: 'round-robin' });
    const load = new Load(open());
    await until(() => load.seen.size === 2);
    const more = await Promise.all(['s2', 's3', 's4'].map(startServer));
    registry.change('orders', more.map(at));
    const startMs = performance.now();
    await until(() => load.seen.size === 5);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    registry.change(
      'orders',
      [],
      more.map((one) => at(one).id),
    );
    await until(() => more.every(({ state }) => state.calls > 0));
    const before = more.map(({ state }) => state.calls);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = more.map(({ state }) => state.calls);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(more.map(({ state }) => state.calls)).toEqual(after);
    expect(after.every((calls, i) => calls - before[i]! < 200)).toBe(true);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(updates.mock.calls.length).toBeLessThan(20);
  });

  test('an instance that dies costs no call that may be repeated', async () => {
    const { registry, at } = await serve(2, { policy: 'round-robin' });
    const dying = await startServer('dying');
    dying.state.delayMs = 5;
    const way = await startWay(dying.port);
    registry.change('orders', [at(way)]);
    const load = new Load(open('rollcall:///orders', IDEMPOTENT));
    await until(() => load.seen.size === 3);
    way.cut();
    const before = load.seen.get('s0') ?? 0;
    await until(() => (load.seen.get('s0') ?? 0) > before + 300);
    await load.stop();
    // gRPC repeats no call whose answer has begun.
    expect(load.failures.filter(({ hasBegun }) => !hasBegun)).toEqual([]);
  });

  test('an instance that answers with errors of its own is left out for a while', async () => {
    const { servers, service } = await serve(2, {
      policy: 'round-robin',
      calls: { ejection: { failuresInARow: 3, baseMs: 60_000 } },
    });
    const client = open();
    await until(async () => Object.keys(await asked(client, 4)).length === 2);
    servers[0]!.state.code = status.INTERNAL;
    for (let i = 0; i < 6; i++) await ask(client).catch(() => {});
    expect(await asked(client, 6)).toEqual({ s1: 6 });
    // A refusal of the application says nothing about the instance.
    servers[1]!.state.code = status.NOT_FOUND;
    for (let i = 0; i < 6; i++) await ask(client).catch(() => {});
    servers[1]!.state.code = status.OK;
    expect(await asked(client, 2)).toEqual({ s1: 2 });
    expect(service.stats().inFlight).toBe(0);
  });

  test('what is under way counts for the choice', async () => {
    const { servers, client: rollcall } = await serve(2, { policy: 'least-outstanding' });
    const service = rollcall.service('orders', { port: 'grpc' });
    const client = open('rollcall:///orders:grpc');
    await until(async () => Object.keys(await asked(client, 4)).length === 2);
    const before = servers.map(({ state }) => state.calls);
    for (const { state } of servers) state.delayMs = 300;
    const first = ask(client);
    await until(() => service.stats().inFlight === 1);
    const second = ask(client);
    await Promise.all([first, second]);
    expect(servers.map(({ state }, i) => state.calls - before[i]!)).toEqual([1, 1]);
    expect(service.stats().inFlight).toBe(0);
  });

  test('a stream goes on when its instance leaves the roll, and new calls go elsewhere', async () => {
    const { servers, registry, at } = await serve(2, { policy: 'round-robin' });
    const client = open();
    await until(async () => Object.keys(await asked(client, 4)).length === 2);
    const stream = client.makeServerStreamRequest(SLOW, same, same, Buffer.of());
    const names: string[] = [];
    stream.on('data', (bytes: Buffer) => names.push(String(bytes)));
    const ended = once(stream, 'end');
    await until(() => names.length === 1);
    const gone = servers.find(({ name }) => name === names[0])!;
    registry.change('orders', [], [at(gone).id]);
    await until(async () => !(gone.name in (await asked(client, 4))));
    await ended;
    expect(names).toEqual([gone.name, gone.name, gone.name]);
  });

  test('an instance that is not ready is not connected to, until it is', async () => {
    const { registry, at } = await serve(1);
    const late = await startServer('late');
    const client = open();
    await ask(client);
    registry.change('orders', [{ ...at(late), ...STATE_TABLE.down, state: 'down' }]);
    expect(await asked(client, 6)).toEqual({ s0: 6 });
    registry.change('orders', [at(late)]);
    await until(async () => 'late' in (await asked(client, 4)));
  });

  test('the rest of the service config holds: the timeout of a method', async () => {
    const { servers } = await serve(1);
    servers[0]!.state.delayMs = 5_000;
    const methodConfig = [{ name: [{ service: 'shop.Orders' }], timeout: '0.2s' }];
    const client = open('rollcall:///orders', {
      'grpc.service_config': JSON.stringify({ methodConfig }),
    });
    await expect(ask(client)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('without an instance a call fails and says so; with the first one it goes on', async () => {
    const { registry, at } = await serve(0);
    const client = open();
    await expect(ask(client)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('no instance is on the roll') as string,
    });
    const late = await startServer('late');
    registry.change('orders', [at(late)]);
    await until(() =>
      ask(client).then(
        (name) => name === 'late',
        () => false,
      ),
    );
  });

  test('a port of another name', async () => {
    const { registry } = await serve(1);
    const admin = await startServer('admin');
    registry.change('orders', [endpointAt(admin.port, { portName: 'admin', instance: 'a' })]);
    await until(() =>
      ask(open('rollcall:///orders:admin')).then(
        (name) => name === 'admin',
        () => false,
      ),
    );
  });

  test('closing the channel gives the service back', async () => {
    const closed = vi.spyOn(ServiceHandle.prototype, 'close');
    await serve(1);
    const client = open();
    expect(await ask(client)).toBe('s0');
    expect(closed).not.toHaveBeenCalled();
    client.close();
    await until(() => closed.mock.calls.length === 1);
  });
});

test('a target that names no service is refused at once', async () => {
  await serve(1);
  for (const path of ['', 'a.b.c', 'UPPER', 'orders:80:80']) {
    expect(() => open(`rollcall:///${path}`)).toThrow(/names no service|Could not find|valid/);
  }
});

test('a version of grpc-js that lacks what is needed is refused in one sentence', () => {
  expect(() => assertNeeded(experimental)).not.toThrow();
  const { LeafLoadBalancer: _, ...older } = experimental;
  expect(() => assertNeeded(older)).toThrow(
    'expected @grpc/grpc-js 1.14 or later: this version lacks experimental.LeafLoadBalancer',
  );
});

test('anything but a client is refused', () => {
  expect(() => registerGrpcResolver({} as never)).toThrow('expected a Rollcall');
});
