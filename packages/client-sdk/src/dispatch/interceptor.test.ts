import { Agent, type Dispatcher, fetch, interceptors, request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { serviceHostOf } from '../base/service-host.ts';
import { type Backend, closedPort, startBackend } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt, type FakeRegistry } from '../testing/fake-registry.ts';

const context = new TestContext();
afterEach(() => context.end());

interface Opened {
  readonly backend: Backend;
  readonly registry: FakeRegistry;
  readonly dispatcher: Dispatcher;
}

async function open(): Promise<Opened> {
  const backend = await startBackend('hello');
  context.onEnd(() => backend.close());
  const registry = await context.registry();
  registry.roll.set('orders', [endpointAt(await closedPort()), endpointAt(backend.port)]);
  const runtime = { random: () => 0 };
  const client = context.client(registry, { policy: 'round-robin', runtime });
  const agent = new Agent();
  context.onEnd(() => agent.destroy());
  return { backend, registry, dispatcher: agent.compose(client.interceptor()) };
}

test.each([
  ['http://orders.rollcall', { service: 'orders', namespace: undefined, scheme: 'http' }],
  ['http://orders.rollcall:8080', { service: 'orders', namespace: undefined, scheme: 'http' }],
  ['https://orders.shop.rollcall', { service: 'orders', namespace: 'shop', scheme: 'https' }],
  ['http://rollcall', undefined],
  ['http://orders.rollcall.example.com', undefined],
  ['http://ordersrollcall', undefined],
  ['nonsense', undefined],
])('%s', (origin, host) => {
  expect(serviceHostOf(origin, 'rollcall')).toEqual(host);
});

test.each(['http://grpc.orders.shop.rollcall', 'http://or_ders.rollcall'])(
  '%s is refused',
  (origin) => {
    expect(() => serviceHostOf(origin, 'rollcall')).toThrow(/expected <service>\.rollcall/);
  },
);

test('requests for service hosts reach an instance, with retry, from the first one on', async () => {
  const { backend, dispatcher } = await open();
  for (const path of ['/a', '/b?c=1']) {
    const reply = await request(`http://orders.rollcall${path}`, { dispatcher });
    expect([reply.statusCode, await reply.body.text()]).toEqual([200, 'hello']);
  }
  const reply = await fetch('http://orders.rollcall:80/d', {
    dispatcher,
    method: 'POST',
    body: 'x',
  });
  expect(await reply.text()).toBe('hello');
  expect(backend.seen).toEqual(['GET /a', 'GET /b?c=1', 'POST /d x']);
});

test('the namespace stands in the host', async () => {
  const { registry, dispatcher } = await open();
  const reply = await request('http://orders.shop.rollcall/', { dispatcher });
  expect(await reply.body.text()).toBe('hello');
  expect(registry.watches.at(-1)?.query.get('namespace')).toBe('shop');
});

test('other hosts pass through', async () => {
  const { backend, dispatcher } = await open();
  const reply = await request(`http://127.0.0.1:${backend.port}/rollcall`, { dispatcher });
  expect(await reply.body.text()).toBe('hello');
});

test('a host that names no service fails the request', async () => {
  const { dispatcher } = await open();
  const pending = request('http://a.b.c.rollcall/', { dispatcher });
  await expect(pending).rejects.toMatchObject({ code: 'invalid_host' });
});

test('other interceptors work around it', async () => {
  const { registry } = await open();
  const backend = await startBackend('', (incoming, response) => {
    if (incoming.url === '/old') response.writeHead(302, { location: '/new' }).end();
    else response.end(`at ${incoming.url}`);
  });
  context.onEnd(() => backend.close());
  registry.roll.set('moved', [endpointAt(backend.port)]);
  const client = context.client(registry);
  const agent = new Agent();
  context.onEnd(() => agent.destroy());
  const dispatcher = agent.compose(
    client.interceptor(),
    interceptors.redirect({ maxRedirections: 2 }),
  );
  const reply = await request('http://moved.rollcall/old', { dispatcher });
  expect([reply.statusCode, await reply.body.text()]).toEqual([200, 'at /new']);
});

test('after the client was closed requests fail and say so', async () => {
  const { registry } = await open();
  const client = context.client(registry);
  const agent = new Agent();
  context.onEnd(() => agent.destroy());
  const dispatcher = agent.compose(client.interceptor());
  await (await request('http://orders.rollcall/', { dispatcher })).body.dump();
  await client.close();
  const pending = request('http://orders.rollcall/', { dispatcher });
  await expect(pending).rejects.toMatchObject({ code: 'closed' });
});
