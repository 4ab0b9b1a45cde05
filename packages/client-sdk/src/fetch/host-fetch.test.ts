import { afterEach, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { until } from '../testing/watched.ts';
import { type AnyHandler, tellError } from '../undici/legacy-handler.ts';
import { installGlobalFetch } from './index.ts';

const context = new TestContext();
const ORIGINAL = globalThis.fetch;
afterEach(async () => {
  await context.end();
  globalThis.fetch = ORIGINAL;
});

async function serve() {
  const alive = await backendOf(context, 'alive');
  const served = await serveOrders(context, [alive.port]);
  served.registry.roll.set('stock', [endpointAt(alive.port)]);
  return { ...served, alive, plain: `http://127.0.0.1:${alive.port}/plain` };
}

test('services by their hosts, other hosts as ever, passed on as a function', async () => {
  const { client, alive, plain, service } = await serve();
  const { fetch } = client;
  for (const url of ['http://orders.rollcall/a', 'http://stock.default.rollcall/b']) {
    expect(await (await fetch(url)).text()).toBe('alive');
  }
  const request = new Request('http://orders.rollcall/c', { method: 'POST', body: 'x' });
  expect(await (await fetch(request)).text()).toBe('alive');
  expect(await (await fetch(new URL(plain))).text()).toBe('alive');
  expect(alive.seen).toEqual(['GET /a', 'GET /b', 'POST /c x', 'GET /plain']);
  expect(service.stats().calls).toBe(2);
});

test('a host below the suffix that names no service is refused', async () => {
  const { client } = await serve();
  await expect(client.fetch('http://a.b.c.rollcall/')).rejects.toMatchObject({
    code: 'invalid_host',
  });
});

test('the fetch of the process reaches services too, until it is taken back', async () => {
  const { client, plain } = await serve();
  const takeBack = installGlobalFetch(client);
  expect(await (await fetch('http://orders.rollcall/')).text()).toBe('alive');
  expect(await (await fetch(plain)).text()).toBe('alive');
  // These call the process's fetch themselves.
  expect(await (await client.service('orders').fetch('/')).text()).toBe('alive');
  expect(await (await client.fetch('http://orders.rollcall/')).text()).toBe('alive');
  takeBack();
  expect(globalThis.fetch).toBe(ORIGINAL);
  await expect(fetch('http://orders.rollcall/')).rejects.toThrow('fetch failed');
});

test('who names a dispatcher has chosen the way', async () => {
  const { client } = await serve();
  installGlobalFetch(client);
  const asked: string[] = [];
  const dispatcher = {
    dispatch(options: { origin: string }, handler: AnyHandler) {
      asked.push(options.origin);
      tellError(handler, new Error('mine'));
      return true;
    },
  };
  const init = { dispatcher } as unknown as RequestInit;
  await expect(fetch('http://orders.rollcall/', init)).rejects.toThrow('fetch failed');
  expect(asked).toEqual(['http://orders.rollcall']);
});

test('another one that was installed later stays', async () => {
  const { client } = await serve();
  const takeBack = installGlobalFetch(client);
  const later: typeof fetch = () => Promise.resolve(new Response('later'));
  globalThis.fetch = later;
  takeBack();
  expect(globalThis.fetch).toBe(later);
});

test('an instance that dies costs no idempotent call', async () => {
  const { client, registry, alive, service } = await serve();
  registry.change('orders', [endpointAt(1), endpointAt(alive.port)]);
  await until(() => service.endpoints().length === 2);
  for (let i = 0; i < 4; i++) {
    expect(await (await client.fetch('http://orders.rollcall/')).text()).toBe('alive');
  }
});
