import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RollcallOptions } from '../api/options.ts';
import type { Service, ServiceRequestOptions } from '../api/service.ts';
import { type Answer, type Backend, closedPort, startBackend } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt, type FakeRegistry } from '../testing/fake-registry.ts';

const context = new TestContext();
afterEach(() => context.end());
const until = (condition: () => unknown, timeout = 30_000) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 5 });

type RequestOptions = Omit<ServiceRequestOptions, 'path'>;

const die: Answer = (request) => request.socket.destroy();

async function backend(name: string, answer?: Answer): Promise<Backend> {
  const started = await startBackend(name, answer);
  context.onEnd(() => started.close());
  return started;
}

interface Opened {
  readonly registry: FakeRegistry;
  readonly service: Service;
}

/** A service over the given ports; each is called in turn, beginning with the first. */
async function serve(
  ports: readonly number[],
  given: Partial<RollcallOptions> = {},
): Promise<Opened> {
  const registry = await context.registry();
  registry.roll.set(
    'orders',
    ports.map((port) => endpointAt(port)),
  );
  const runtime = { random: () => 0 };
  const client = context.client(registry, { policy: 'round-robin', runtime, ...given });
  const service = client.service('orders');
  await service.ready({ endpoints: 0 });
  return { registry, service };
}

const textOf = async (reply: ReturnType<Service['request']>) => (await reply).body.text();

describe('nobody listens at the first endpoint', () => {
  test.each(['GET', 'POST'])(
    '%s goes to another one, and the first is left out',
    async (method) => {
      const alive = await backend('alive');
      const { service } = await serve([await closedPort(), alive.port]);
      for (let call = 0; call < 5; call++)
        expect(await textOf(service.request('/x', { method, body: 'b' }))).toBe('alive');
      expect(alive.seen).toHaveLength(5);
      expect(service.stats()).toMatchObject({ calls: 5, retries: 1, ejections: 1, failures: 0 });
    },
  );

  test('a body that streams is still whole', async () => {
    const alive = await backend('alive');
    const { service } = await serve([await closedPort(), alive.port]);
    const body = Readable.from(['one ', 'two']);
    expect(await textOf(service.request('/x', { method: 'POST', body }))).toBe('alive');
    expect(alive.seen).toEqual(['POST /x one two']);
  });

  test('it is tried again when its time is over', async () => {
    const alive = await backend('alive');
    const ejection = { baseMs: 50 };
    const { service } = await serve([await closedPort(), alive.port], { calls: { ejection } });
    await textOf(service.request('/x'));
    await vi.waitFor(
      async () => {
        await textOf(service.request('/x'));
        expect(service.stats().ejections).toBe(2);
      },
      { timeout: 30_000 },
    );
  });

  test('G8: all but the last have died at once: those who refuse are passed over', async () => {
    const dead = await Promise.all(Array.from({ length: 7 }, () => closedPort()));
    const alive = await backend('alive');
    const ejection = { maxEjectedRatio: 0 };
    const { service } = await serve([...dead, alive.port], { calls: { maxTries: 3, ejection } });
    expect(await textOf(service.request('/x', { method: 'POST', body: 'b' }))).toBe('alive');
    expect(service.stats()).toMatchObject({ failures: 0, retries: 7 });
  });

  test('nobody anywhere: nothing was sent, and the error says so', async () => {
    const { service } = await serve([await closedPort(), await closedPort()]);
    const pending = service.request('/x', { method: 'POST', body: 'b' });
    await expect(pending).rejects.toMatchObject({
      code: 'connect_failed',
      mayHaveBeenProcessed: false,
      retryable: true,
      message: expect.stringMatching(/POST \/x of default\/orders .*ECONNREFUSED.*try 2/),
    });
    expect(service.stats()).toMatchObject({ failures: 1, inFlight: 0 });
  });
});

describe('the instance dies under the request', () => {
  const replayed: [string, RequestOptions][] = [
    ['GET', { method: 'GET' }],
    ['PUT with a text', { method: 'PUT', body: 'b' }],
    ['DELETE', { method: 'DELETE' }],
    ['PUT with a body from a function', { method: 'PUT', body: () => Readable.from(['b']) }],
    ['POST that the caller calls idempotent', { method: 'POST', body: 'b', idempotent: true }],
  ];
  test.each(replayed)('%s is answered by another one', async (_, options) => {
    const dying = await backend('dying', die);
    const alive = await backend('alive');
    const { service } = await serve([dying.port, alive.port]);
    expect(await textOf(service.request('/x', options))).toBe('alive');
    expect(alive.seen).toEqual(dying.seen);
  });

  const once: [string, () => RequestOptions][] = [
    ['POST', () => ({ method: 'POST', body: 'b' })],
    ['PATCH without a body', () => ({ method: 'PATCH' })],
    ['GET that the caller calls not idempotent', () => ({ method: 'GET', idempotent: false })],
    ['PUT with a stream', () => ({ method: 'PUT', body: Readable.from(['b']) })],
  ];
  test.each(once)('%s fails once and is not repeated', async (_, options) => {
    const dying = await backend('dying', die);
    const alive = await backend('alive');
    const { service } = await serve([dying.port, alive.port]);
    await expect(service.request('/x', options())).rejects.toMatchObject({
      code: 'response_lost',
      mayHaveBeenProcessed: true,
      retryable: false,
    });
    expect([dying.seen.length, alive.seen.length]).toEqual([1, 0]);
    expect(service.stats()).toMatchObject({ retries: 0, failures: 1, inFlight: 0 });
  });

  test('the only endpoint is tried once more: it may have ended just this connection', async () => {
    let requests = 0;
    const flaky = await backend('flaky', (request, response) => {
      if (++requests === 1) request.socket.destroy();
      else response.end('flaky');
    });
    const { service } = await serve([flaky.port]);
    expect(await textOf(service.request('/x'))).toBe('flaky');
    expect(flaky.seen).toHaveLength(2);
  });

  test('an answer that has begun is not asked for again', async () => {
    const dying = await backend('dying', (request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => request.socket.destroy());
    });
    const alive = await backend('alive');
    const { service } = await serve([dying.port, alive.port]);
    const reply = await service.request('/x');
    await expect(reply.body.text()).rejects.toThrow('other side closed');
    expect(alive.seen).toEqual([]);
    await until(() => service.stats().inFlight === 0);
  });

  test('a POST sent to a second endpoint because the first refused is not sent to a third', async () => {
    const dying = await backend('dying', die);
    const alive = await backend('alive');
    const { service } = await serve([await closedPort(), dying.port, alive.port]);
    await expect(service.request('/x', { method: 'POST' })).rejects.toMatchObject({
      mayHaveBeenProcessed: true,
    });
    expect([dying.seen.length, alive.seen.length]).toEqual([1, 0]);
  });

  test('a PUT that may have been acted on says so although its last try could not connect', async () => {
    const dying = await backend('dying', die);
    const { service } = await serve([dying.port, await closedPort()]);
    await expect(service.request('/x', { method: 'PUT', body: 'b' })).rejects.toMatchObject({
      code: 'response_lost',
      mayHaveBeenProcessed: true,
    });
  });
});

test('G8: two have died under it: the last try waits until the registry has told who else is dead', async () => {
  let deaths = 0;
  let told = () => {};
  const dies: Answer = (request) => {
    if (++deaths === 2) told();
    request.socket.destroy();
  };
  const dying = await Promise.all(['a', 'b', 'c'].map((name) => backend(name, dies)));
  const alive = await backend('alive');
  const { registry, service } = await serve([...dying.map(({ port }) => port), alive.port]);
  const last = endpointAt(dying[2]?.port ?? 0);
  told = () => registry.change('orders', [{ ...last, tier: 1, state: 'suspect' }]);
  expect(await textOf(service.request('/x'))).toBe('alive');
  expect(deaths).toBe(2);
});

test('tries end at maxTries, and when the budget is spent', async () => {
  const dying = await Promise.all(['a', 'b', 'c', 'd'].map((name) => backend(name, die)));
  const ports = dying.map(({ port }) => port);
  const two = await serve(ports, { calls: { maxTries: 2 } });
  await expect(two.service.request('/x')).rejects.toMatchObject({ code: 'response_lost' });
  expect(dying.flatMap(({ seen }) => seen)).toHaveLength(2);
  const retryBudget = { ratio: 0, minPerSecond: 0, burst: 0 };
  const none = await serve(ports, { calls: { retryBudget } });
  await expect(none.service.request('/x')).rejects.toMatchObject({ code: 'response_lost' });
  expect(dying.flatMap(({ seen }) => seen)).toHaveLength(3);
});

test('an instance that does not answer in time is not asked again, nor is another', async () => {
  const silent = await backend('silent', () => {});
  const alive = await backend('alive');
  const { service } = await serve([silent.port, alive.port], { calls: { headersTimeoutMs: 50 } });
  await expect(service.request('/x')).rejects.toMatchObject({
    code: 'response_lost',
    mayHaveBeenProcessed: true,
  });
  expect(alive.seen).toEqual([]);
});

test('5xx answers reach the caller, and several in a row eject', async () => {
  const failing = await backend('failing', (_, response) => response.writeHead(503).end());
  const alive = await backend('alive');
  const ejection = { failuresInARow: 2 };
  const { service } = await serve([failing.port, alive.port], { calls: { ejection } });
  const statuses: number[] = [];
  for (let call = 0; call < 8; call++) {
    const { statusCode, body } = await service.request('/x');
    await body.dump();
    statuses.push(statusCode);
  }
  expect(statuses).toEqual([503, 200, 503, 200, 200, 200, 200, 200]);
});

test("the caller's own mistakes are its own: no retry, no ejection", async () => {
  const alive = await backend('alive');
  const { service } = await serve([alive.port]);
  await expect(service.request('/x', { headers: { 'bad name': 'x' } })).rejects.toMatchObject({
    code: 'UND_ERR_INVALID_ARG',
  });
  await expect(service.request('no-slash')).rejects.toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
  expect(service.stats()).toMatchObject({ retries: 0, ejections: 0, inFlight: 0 });
});

test('an abort rejects with its reason, and the call is no longer under way', async () => {
  const silent = await backend('silent', () => {});
  const { service } = await serve([silent.port]);
  const given = new AbortController();
  const pending = service.request('/x', { signal: given.signal });
  await until(() => silent.seen.length === 1);
  expect(service.stats().inFlight).toBe(1);
  given.abort(new Error('enough'));
  await expect(pending).rejects.toThrow('enough');
  expect(service.stats()).toMatchObject({ inFlight: 0, retries: 0, ejections: 0 });
});

test('a large answer read slowly comes whole', async () => {
  const large = Buffer.alloc(3_000_000, 'abc');
  const sender = await backend('large', (_, response) => response.end(large));
  const { service } = await serve([sender.port]);
  const { body } = await service.request('/x');
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    await new Promise((done) => setImmediate(done));
  }
  expect(bytes).toBe(large.length);
});

describe('no endpoint', () => {
  test('the error says what is known, how old it is and why', async () => {
    const { registry, service } = await serve([]);
    await expect(service.request('/x')).rejects.toMatchObject({
      code: 'no_endpoints',
      retryable: true,
      message: expect.stringMatching(
        /default\/orders can be called: no instance is on the roll, picture \d/,
      ),
    });
    registry.change('orders', [
      endpointAt(1, { state: 'starting' }),
      endpointAt(2, { state: 'down' }),
    ]);
    await until(() => service.endpoints().length === 2);
    await registry.kill();
    await until(() => service.ageMs() > 50);
    await expect(service.request('/x')).rejects.toThrow(
      /1 starting on http, 1 down on http, picture .* old; the watch is down: /,
    );
    expect(service.pick()).toMatchObject({ kind: 'none', error: { code: 'no_endpoints' } });
  });

  test('a call may wait for one', async () => {
    const alive = await backend('alive');
    const { registry, service } = await serve([]);
    const pending = textOf(service.request('/x', { waitMs: 5_000 }));
    registry.change('orders', [endpointAt(alive.port)]);
    expect(await pending).toBe('alive');
  });

  test('a call before the first picture waits for it, a while', async () => {
    const alive = await backend('alive');
    const registry = await context.registry();
    registry.roll.set('orders', [endpointAt(alive.port)]);
    expect(await textOf(context.client(registry).service('orders').request('/x'))).toBe('alive');
    registry.script = () => 'warming_up';
    const client = context.client(registry, { firstPictureWaitMs: 50 });
    await expect(client.service('orders').request('/x')).rejects.toThrow(
      /the registry has shown nothing yet; the watch is down: scripted warming_up/,
    );
  });

  test('a name that nobody provides fails as soon as the picture shows it', async () => {
    const registry = await context.registry();
    const client = context.client(registry, { firstPictureWaitMs: 600_000 });
    await expect(client.service('nobody').request('/x')).rejects.toThrow(
      /no instance is on the roll/,
    );
    // Once more by a name that is asked for, and with time to wait for an endpoint.
    const waiting = context.client(registry, { firstPictureWaitMs: 600_000, noEndpointWaitMs: 10 });
    await expect(waiting.service('nobody').request('/x')).rejects.toThrow(
      /no instance is on the roll/,
    );
  });

  test('waiting ends by an abort and by closing', async () => {
    const { service } = await serve([]);
    const given = new AbortController();
    const aborted = service.request('/x', { waitMs: 60_000, signal: given.signal });
    given.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const closed = service.request('/x', { waitMs: 60_000 });
    await service.close();
    await expect(closed).rejects.toMatchObject({ code: 'closed' });
    await expect(service.request('/x')).rejects.toMatchObject({ code: 'closed' });
  });
});

test('an endpoint that leaves gets no new calls, and those under way are answered', async () => {
  let answer = () => {};
  const leaving = await backend('leaving', (_, response) => (answer = () => response.end('late')));
  const alive = await backend('alive');
  const { registry, service } = await serve([leaving.port, alive.port]);
  const pending = textOf(service.request('/slow'));
  await until(() => leaving.seen.length === 1);
  const { id } = service.endpoints()[0]!;
  registry.change('orders', [], [id]);
  await until(() => service.endpoints().length === 1);
  expect(await textOf(service.request('/x'))).toBe('alive');
  expect(await textOf(service.request('/x'))).toBe('alive');
  answer();
  expect(await pending).toBe('late');
});

test('tier 1 is called only when no tier 0 is left, draining ones never', async () => {
  const [up, suspect] = [await backend('up'), await backend('suspect')];
  const { registry, service } = await serve([up.port]);
  registry.change('orders', [endpointAt(suspect.port, { state: 'suspect' })]);
  await until(() => service.endpoints().length === 2);
  for (let call = 0; call < 4; call++) expect(await textOf(service.request('/'))).toBe('up');
  registry.change('orders', [endpointAt(up.port, { state: 'draining' })]);
  await until(() => service.endpoints().some(({ state }) => state === 'draining'));
  for (let call = 0; call < 4; call++) expect(await textOf(service.request('/'))).toBe('suspect');
});

test('the port is http, else the first, else the one asked for', async () => {
  const registry = await context.registry();
  const ports = ['admin', 'http', 'grpc'].map((portName) => endpointAt(1, { portName }));
  registry.roll.set('orders', ports);
  registry.roll.set(
    'stock',
    ports.filter(({ portName }) => portName !== 'http'),
  );
  const client = context.client(registry);
  const services = [
    client.service('orders'),
    client.service('orders', { port: 'grpc' }),
    client.service('stock'),
  ];
  await Promise.all(services.map((service) => service.ready({ endpoints: 0 })));
  const names = services.map((service) => service.endpoints().map(({ portName }) => portName));
  expect(names).toEqual([['http'], ['grpc'], ['admin']]);
  expect(services[0]?.snapshot()?.endpoints).toHaveLength(3);
});

test('pick counts calls made by other means, and their failures eject', async () => {
  const { service } = await serve([1, 2], { policy: 'least-outstanding' });
  const first = service.pick();
  const second = service.pick();
  if (first.kind !== 'picked' || second.kind !== 'picked') throw new Error('nobody picked');
  expect(first.endpoint.port).not.toBe(second.endpoint.port);
  expect(service.stats().inFlight).toBe(2);
  first.done('connect_failed');
  first.done('ok');
  second.done('ok');
  expect(service.stats()).toMatchObject({ inFlight: 0, ejections: 1 });
  for (let pick = 0; pick < 3; pick++) {
    const next = service.pick();
    expect(next).toMatchObject({ kind: 'picked', endpoint: { port: second.endpoint.port } });
  }
});

test('fetch speaks with the service too', async () => {
  const echo = await backend('echo', (request, response, body) =>
    response.end(`${request.method} ${request.url} ${body}`),
  );
  const { service } = await serve([await closedPort(), echo.port]);
  const reply = await service.fetch('/x?y=1', { method: 'POST', body: 'hi' });
  expect([reply.status, await reply.text()]).toEqual([200, 'POST /x?y=1 hi']);
});
