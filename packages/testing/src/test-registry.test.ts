import { get } from 'node:http';
import { Rollcall, RollcallError } from '@rollcall/client-sdk';
import { afterEach, expect, test } from 'vitest';
import { TestRegistry, type TestRegistryOptions } from './index.ts';

const started: TestRegistry[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((registry) => registry.stop()));
});

async function start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  return registry;
}

test('it is the real registry: register, watch, apply a manifest, call', async () => {
  const registry = await start();
  const rollcall = new Rollcall({ url: registry.url });
  const orders = rollcall.service('orders');
  await registry.addInstance('orders', { labels: { version: '2' }, zone: 'a', weight: 7 });
  const [endpoint] = await registry.until(orders, ({ length }) => length === 1);
  expect(endpoint).toMatchObject({ instance: 'orders-1', zone: 'a', weight: 7, state: 'up' });
  expect(endpoint?.labels).toMatchObject({ version: '2' });
  const reply = await orders.request('/');
  expect(await reply.body.text()).toBe('orders-1');
  const body =
    'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }';
  const { results } = await rollcall.call('apply', { body });
  expect(results).toMatchObject([{ kind: 'Service', name: 'web', action: 'created' }]);
  await rollcall.close();
  const statusOf = async (path: string) => (await fetch(registry.url + path)).status;
  expect(await Promise.all(['/metrics', '/openapi.json', '/docs'].map(statusOf))).toEqual([
    200, 200, 404,
  ]);
});

test('several run side by side and know nothing of each other', async () => {
  const [one, two] = await Promise.all([start(), start({ clock: 'manual' })]);
  expect(one.url).not.toBe(two.url);
  await Promise.all([
    one.addInstance('orders', { id: 'a' }),
    two.addInstance('orders', { id: 'b' }),
  ]);
  expect(await one.endpoints('orders')).toMatchObject([{ instance: 'a' }]);
  expect(await two.endpoints('orders')).toMatchObject([{ instance: 'b' }]);
});

test('an instance shows what it received, body included, also to a handler that reads it later', async () => {
  const registry = await start();
  const instance = await registry.addInstance('orders', {
    async handler(request, response) {
      await new Promise(setImmediate);
      let text = '';
      for await (const chunk of request) text += String(chunk);
      response.writeHead(201).end(text.toUpperCase());
    },
  });
  const reply = await fetch(`${instance.url}/items?x=1`, { method: 'POST', body: 'one item' });
  expect([reply.status, await reply.text()]).toEqual([201, 'ONE ITEM']);
  expect(instance.requests).toMatchObject([
    { method: 'POST', path: '/items?x=1', body: 'one item' },
  ]);
});

test('a namespace and tokens: clients without one are refused, those of the registry are not', async () => {
  const token = 'reader-of-the-shop';
  const registry = await start({ namespace: 'shop', tokens: [`${token}=read:shop`] });
  await registry.addInstance('orders');
  await registry.until('orders', ([endpoint]) => endpoint?.state === 'up');
  const orders = registry.client().service('orders');
  await orders.ready();
  expect(orders.namespace).toBe('shop');
  const reader = registry.client({ token });
  await reader.service('orders').ready();
  const writing = reader.register({ service: 'orders', port: 1 });
  await expect(writing).rejects.toMatchObject({ code: 'forbidden' });
  const stranger = new Rollcall({ url: registry.url, namespace: 'shop' });
  const refused = stranger.call('resolve', { params: { ns: 'shop', svc: 'orders' } });
  await expect(refused).rejects.toMatchObject({ code: 'unauthenticated' });
  await stranger.close();
});

test('until rejects with what is there', async () => {
  const registry = await start();
  const { port } = await registry.addInstance('orders');
  await expect(registry.until('orders', () => false, { timeoutMs: 20 })).rejects.toThrow(
    `after 20 ms orders has orders-1/http at 127.0.0.1:${port} (up, tier 0), and what was waited for has not come`,
  );
  await expect(
    registry.until('stock', ([one]) => one !== undefined, { timeoutMs: 1 }),
  ).rejects.toThrow('after 1 ms stock has no endpoints');
});

test.each([
  [
    { clock: 'manuel' },
    'option clock: expected one of "real"|"manual", got "manuel"; did you mean manual?',
  ],
  [{ clok: 'real' }, 'option clok: there is no such option; did you mean clock?'],
  [
    { server: { guardMS: 1 } },
    'option server.guardMS: there is no such option; did you mean guardMs?',
  ],
  [{ server: { guardMs: 5 } }, 'option server.guardMs: '],
  [{ server: { port: 80 } }, 'option server.port: there is no such option'],
  [{ namespace: 'My Shop' }, 'option namespace: '],
])('a wrong option %j is named', async (options, message) => {
  const starting = TestRegistry.start(options as TestRegistryOptions);
  await expect(starting).rejects.toBeInstanceOf(RollcallError);
  await expect(TestRegistry.start(options as TestRegistryOptions)).rejects.toThrow(message);
});

test('an instance that the registry refuses leaves nothing open, and its port is free again', async () => {
  const registry = await start();
  const first = await registry.addInstance('orders');
  await first.leave();
  const { port } = first;
  await expect(registry.addInstance('orders', { port, zone: 'x'.repeat(300) })).rejects.toThrow(
    'zone',
  );
  const second = await registry.addInstance('orders', { port });
  expect(second.port).toBe(port);
  await expect(registry.addInstance('orders', { port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('stop ends what is under way, twice without harm, and further calls say that it was stopped', async () => {
  const registry = await start();
  const { url } = await registry.addInstance('orders');
  await registry.goAway();
  const waiting = registry.addInstance('orders');
  const ended = await Promise.allSettled([waiting, registry.stop(), registry.stop()]);
  expect(ended[0]).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
  expect(ended.slice(1).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  await expect(registry.addInstance('orders')).rejects.toMatchObject({ code: 'closed' });
  expect(() => registry.client()).toThrow('the registry was stopped');
  await expect(registry.comeBack()).rejects.toMatchObject({ code: 'closed' });
  for (const at of [url, registry.url]) await expect(refusal(at)).resolves.toBe('ECONNREFUSED');
});

test('it is disposed of with its block', async () => {
  let url: string;
  {
    await using registry = await TestRegistry.start();
    ({ url } = registry);
  }
  expect(await refusal(url)).toBe('ECONNREFUSED');
});

/** The code of the error of a connect. */
function refusal(url: string): Promise<unknown> {
  return new Promise((resolve) => {
    get(url, { agent: false }, resolve).once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code),
    );
  });
}
