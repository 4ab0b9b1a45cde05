import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createHttpAgent } from '../http/index.ts';
import { closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';
import { CHANNELS } from './channels.ts';
import { RequestTrace } from './request-trace.ts';

const context = new TestContext();
afterEach(() => context.end());

interface Told {
  readonly name: string;
  readonly message: Record<string, unknown>;
}

/** Everything that is told from now on. A request's message is copied, since it goes on changing. */
function listen(): Told[] {
  const told: Told[] = [];
  for (const { name } of Object.values(CHANNELS)) {
    const note = (message: unknown, from: string | symbol) =>
      told.push({
        name: String(from).replace('rollcall:', ''),
        message: { ...(message as object) },
      });
    subscribe(name, note);
    context.onEnd(() => unsubscribe(name, note));
  }
  return told;
}

const namesOf = (told: readonly Told[], part = '') =>
  told.map(({ name }) => name).filter((name) => name.startsWith(part));

test('a call: its start, its retry, its end, and the endpoint that was left out', async () => {
  const alive = await backendOf(context, 'alive');
  const { service } = await serveOrders(context, [await closedPort(), alive.port]);
  const told = listen();
  await (await service.request('/a?b=c')).body.text();
  expect(namesOf(told)).toEqual([
    'request:start',
    'request:try',
    'request:try-failed',
    'eject',
    'request:retry',
    'request:try',
    'request:end',
  ]);
  const [start, first, failed, eject, retry, second, end] = told.map(({ message }) => message);
  const origin = 'http://orders.default.rollcall';
  const call = { namespace: 'default', service: 'orders', origin, method: 'GET', path: '/a?b=c' };
  expect(start).toMatchObject({ ...call, tries: 0, endpoint: undefined, statusCode: undefined });
  expect(first).toMatchObject({ ...call, tries: 1, error: undefined });
  expect(failed).toMatchObject({ ...call, tries: 1, error: { code: 'ECONNREFUSED' } });
  expect(second).toMatchObject({ ...call, tries: 2, error: undefined });
  expect(eject).toMatchObject({ namespace: 'default', service: 'orders' });
  expect(retry).toMatchObject({ ...call, tries: 2, error: { code: 'ECONNREFUSED' } });
  expect(end).toMatchObject({
    ...call,
    tries: 2,
    statusCode: 200,
    error: undefined,
    endpoint: { port: alive.port },
  });
});

test('an answer that is dropped is told with the retry; a call whose time is over fails with it', async () => {
  const busy = await backendOf(context, 'a', (_, response) => response.writeHead(503).end());
  const hanging = await backendOf(context, 'b', () => {});
  const { service } = await serveOrders(context, [busy.port, hanging.port]);
  const told = listen();
  await service.request('/', { retry: {}, timeoutMs: 600 }).catch(() => {});
  expect(namesOf(told)).toEqual([
    'request:start',
    'request:try',
    'request:try-failed',
    'request:retry',
    'request:try',
    'request:try-failed',
    'request:error',
  ]);
  const named = (name: string) => told.find((one) => one.name === name)?.message;
  const [retry, failed] = [named('request:retry'), named('request:error')];
  expect(retry).toMatchObject({
    tries: 2,
    statusCode: 503,
    error: { message: 'it answered 503' },
    endpoint: { port: hanging.port },
  });
  expect(failed).toMatchObject({ tries: 2, statusCode: undefined, error: { code: 'timeout' } });
});

test('all messages of a call are one object', async () => {
  const alive = await backendOf(context, 'alive');
  const { service } = await serveOrders(context, [alive.port]);
  const seen: unknown[] = [];
  const note = (message: unknown) => seen.push(message);
  for (const name of ['rollcall:request:start', 'rollcall:request:end']) {
    subscribe(name, note);
    context.onEnd(() => unsubscribe(name, note));
  }
  await (await service.request('/')).body.text();
  expect(seen).toHaveLength(2);
  expect(seen[0]).toBe(seen[1]);
});

test('a call that fails, by the error that the caller gets', async () => {
  const { service } = await serveOrders(context, [await closedPort()]);
  const told = listen();
  const error = (await service.request('/').catch((thrown: unknown) => thrown)) as Error;
  expect(namesOf(told, 'request')).toEqual([
    'request:start',
    'request:try',
    'request:try-failed',
    'request:error',
  ]);
  expect(told.at(-1)?.message['error']).toBe(error);
});

test('a call that was aborted, once', async () => {
  const slow = await backendOf(context, 'slow', () => {});
  const { service } = await serveOrders(context, [slow.port]);
  const told = listen();
  const giveUp = new AbortController();
  const call = service.request('/', { signal: giveUp.signal });
  await until(() => slow.seen.length === 1);
  giveUp.abort();
  await expect(call).rejects.toThrow('aborted');
  expect(namesOf(told, 'request')).toEqual([
    'request:start',
    'request:try',
    'request:try-failed',
    'request:error',
  ]);
});

test('requests of node:http too', async () => {
  const alive = await backendOf(context, 'alive');
  const { client } = await serveOrders(context, [await closedPort(), alive.port]);
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  const told = listen();
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const request = get('http://orders.rollcall/x', { agent }, (response) => {
        void text(response).then(resolve, reject);
      });
      request.on('error', reject);
    });
  expect(await ask()).toBe('alive');
  await until(() => namesOf(told).includes('request:end'));
  expect(namesOf(told, 'request')).toEqual([
    'request:start',
    'request:try',
    'request:try-failed',
    'request:retry',
    'request:try',
    'request:end',
  ]);
  expect(told.at(-1)?.message).toMatchObject({
    method: 'GET',
    path: '/x',
    tries: 2,
    statusCode: 200,
  });
});

test('and one of them that fails', async () => {
  const { client } = await serveOrders(context, [await closedPort()]);
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  const told = listen();
  const request = get('http://orders.rollcall/x', { agent });
  await expect(once(request, 'response')).rejects.toThrow('ECONNREFUSED');
  await until(() => namesOf(told).includes('request:error'));
  expect(told.at(-1)?.message).toMatchObject({ error: { code: 'ECONNREFUSED' } });
});

test('a registration, from its beginning to its end', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const told = listen();
  const registration = await client.register({ service: 'orders', id: 'a', port: 1 });
  await registration.drain({ settleMs: 0 });
  expect(namesOf(told)).toEqual([
    'registration:registered',
    'registration:draining',
    'registration:deregistered',
  ]);
  for (const { message } of told) {
    expect(message).toEqual({ namespace: 'default', service: 'orders', instance: 'a' });
  }
});

test('a successor: why, and the process is warned as ever', async () => {
  const registry = await context.registry();
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const client = context.client(registry, { runtime: { warn } });
  const told = listen();
  await client.register({ service: 'orders', id: 'a', port: 1, ttlMs: 1_000 });
  registry.superseded.add(registry.leases.get('orders/a')!.lease);
  await until(() => namesOf(told).includes('registration:superseded'));
  expect(told.at(-1)?.message['error']).toMatchObject({ code: 'superseded' });
  expect(warnings.join()).toContain('was taken over');
});

test('a picture', async () => {
  const { registry, service } = await serveOrders(context, [1]);
  const told = listen();
  registry.change('orders', [endpointAt(2)]);
  await until(() => service.endpoints().length === 2);
  expect(namesOf(told)).toEqual(['picture:change']);
  expect(told[0]?.message['snapshot']).toBe(service.snapshot());
});

test('nothing is built while nobody listens', () => {
  const touched: string[] = [];
  const service = {
    namespace: 'default',
    name: 'orders',
    get origin() {
      touched.push('origin');
      return 'http://orders.default.rollcall';
    },
  };
  expect(RequestTrace.begin(service, 'GET', '/')).toBeUndefined();
  expect(touched).toEqual([]);
  listen();
  expect(RequestTrace.begin(service, 'GET', '/')).toBeDefined();
  expect(touched).toEqual(['origin']);
});

test('a try that fails after the end of its call is not told', () => {
  const told = listen();
  const service = {
    namespace: 'default',
    name: 'orders',
    origin: 'http://orders.default.rollcall',
  };
  const trace = RequestTrace.begin(service, 'GET', '/');
  trace?.failed(new Error('given up'));
  trace?.failedTry(new Error('late'));
  trace?.ended();
  expect(namesOf(told)).toEqual(['request:start', 'request:error']);
  expect(told.at(-1)?.message['error']).toMatchObject({ message: 'given up' });
});

test('every channel is documented', () => {
  const document = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const documented = Array.from(
    document.matchAll(/^\| `(rollcall:[\w:-]+)`/gm),
    ([, name]) => name,
  );
  expect(documented).toEqual(Object.values(CHANNELS).map(({ name }) => name));
});
