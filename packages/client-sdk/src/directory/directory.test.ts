import { afterEach, expect, test, vi } from 'vitest';
import type { Runtime } from '../base/runtime.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt, type FakeRegistry } from '../testing/fake-registry.ts';
import { A, B, ids, until, watchingOrders } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

test('the first picture, then each change, in order', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  const orders = context.client(registry).service('orders');
  expect([orders.snapshot(), orders.endpoints(), orders.ageMs()]).toEqual([
    undefined,
    [],
    Infinity,
  ]);
  await orders.ready({ endpoints: 0 });
  expect(ids(orders)).toEqual(['a/http']);
  const revisions: string[] = [];
  orders.on('change', ({ revision }) => revisions.push(revision));
  registry.change('orders', [B]);
  registry.change('orders', [], ['a/http']);
  await until(() => revisions.length === 2);
  expect(revisions).toEqual(['1001', '1002']);
  expect(ids(orders)).toEqual(['b/http']);
});

test('a service nobody registered for has an empty picture, not none', async () => {
  const registry = await context.registry();
  const nobody = context.client(registry).service('nobody');
  await nobody.ready({ endpoints: 0 });
  expect(nobody.snapshot()).toMatchObject({ service: 'nobody', endpoints: [] });
});

test('where streams take nothing up, a later service opens a larger one before the old ends', async () => {
  const registry = await context.registry();
  registry.extends = false;
  registry.roll.set('orders', [A]);
  const client = context.client(registry);
  const first = [client.service('orders'), client.service('stock')];
  await Promise.all(first.map((service) => service.ready({ endpoints: 0 })));
  expect(registry.watches).toHaveLength(1);
  expect(registry.watches[0]?.query.getAll('service')).toEqual(['orders', 'stock']);
  registry.speaks = false;
  client.service('bills');
  await until(() => registry.watches.length === 2);
  expect(registry.watches[1]?.query.getAll('service')).toEqual(['orders', 'stock', 'bills']);
  expect(registry.watches[1]?.query.has('since')).toBe(false);
  registry.change('orders', [B]);
  await until(() => ids(first[0]!).length === 2);
  expect(registry.openWatches()).toHaveLength(2);
  for (const service of ['orders', 'stock', 'bills'])
    registry.watches[1]!.send('snapshot', registry.snapshot(service));
  registry.watches[1]!.send('bookmark', registry.bookmark());
  await until(() => registry.openWatches().length === 1);
  expect(registry.watches[1]?.isOpen).toBe(true);
  expect(ids(first[0]!)).toEqual(['a/http', 'b/http']);
});

test('a service added while a stream is being opened waits for it: that of an older server, which names none', async () => {
  const registry = await context.registry();
  registry.speaks = false;
  const client = context.client(registry);
  client.service('orders');
  await until(() => registry.watches.length === 1);
  client.service('stock');
  const [first] = registry.watches;
  first!.send('snapshot', registry.snapshot('orders'));
  await client.service('orders').ready({ endpoints: 0 });
  expect(registry.watches).toHaveLength(1);
  first!.send('bookmark', registry.bookmark());
  await until(() => registry.watches.length === 2);
  expect(registry.watches[1]?.query.getAll('service')).toEqual(['orders', 'stock']);
  expect(first?.isOpen).toBe(true);
  registry.watches[1]!.send('bookmark', registry.bookmark());
  await until(() => !first?.isOpen);
});

test('services asked for in one turn share a stream, and it takes up the later ones', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  registry.roll.set('bills', [B]);
  const client = context.client(registry);
  const first = [client.service('orders'), client.service('stock')];
  await Promise.all(first.map((service) => service.ready({ endpoints: 0 })));
  expect(registry.watches[0]?.query.getAll('service')).toEqual(['orders', 'stock']);
  const later = [client.service('bills'), client.service('nobody')];
  await Promise.all(later.map((service) => service.ready({ endpoints: 0 })));
  expect(registry.count('POST', /^\/v1\/watch\//)).toBe(1);
  expect(later.map(ids)).toEqual([['b/http'], []]);
  registry.change('bills', [A]);
  await until(() => ids(later[0]!).length === 2);
  expect(registry.watches).toHaveLength(1);
  // From then on it is as if all had been asked for together.
  registry.watches[0]!.end();
  await until(() => registry.watches.length === 2);
  const { query } = registry.watches[1]!;
  expect(query.getAll('service')).toEqual(['orders', 'stock', 'bills', 'nobody']);
  expect(query.get('since')).toBe('1000');
});

test('a service that was let go is shown anew to who reads it later', async () => {
  const { registry } = await watchingOrders(context);
  const client = context.client(registry);
  await client.service('orders').ready({ endpoints: 0 });
  const stock = client.service('stock');
  await stock.ready({ endpoints: 0 });
  await stock.close();
  registry.roll.set('stock', [B]);
  const again = client.service('stock');
  await again.ready({ endpoints: 0 });
  expect(ids(again)).toEqual(['b/http']);
  expect(registry.watches).toHaveLength(2);
});

test('asked while the server is out of sorts: once more until it takes the service up', async () => {
  const { registry } = await watchingOrders(context);
  const client = context.client(registry, { reconnectMaxMs: 20 });
  await client.service('orders').ready({ endpoints: 0 });
  let left = 3;
  registry.script = ({ path }) =>
    path.startsWith('/v1/watch/') && left > 0 && left-- > 0 ? 'overloaded' : undefined;
  await client.service('stock').ready({ endpoints: 0 });
  expect(left).toBe(0);
  expect(registry.watches).toHaveLength(2);
});

test('refused: who reads the service is told, the others go on', async () => {
  const { registry, orders } = await watchingOrders(context);
  const client = context.client(registry, { reconnectMaxMs: 20 });
  await client.service('orders').ready({ endpoints: 0 });
  registry.script = ({ path }) => (path.startsWith('/v1/watch/') ? 'forbidden' : undefined);
  const stock = client.service('stock');
  await expect(stock.ready({ endpoints: 0 })).rejects.toMatchObject({ code: 'forbidden' });
  registry.script = () => undefined;
  await until(() => stock.snapshot());
  expect(ids(orders)).toEqual(['a/http']);
});

test('more names than a URL holds are taken up once the stream is there', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const names = Array.from({ length: 600 }, (_, i) => `service-number-${i}`);
  const services = names.map((name) => client.service(name));
  await Promise.all(services.map((service) => service.ready({ endpoints: 0 })));
  expect(registry.watches).toHaveLength(1);
  const named = registry.watches[0]!.query.getAll('service');
  expect(named.length).toBeGreaterThan(100);
  const asked = registry.seen.flatMap(({ body }) =>
    body === undefined ? [] : (body as { services: string[] }).services,
  );
  expect([...named, ...asked].toSorted()).toEqual(names.toSorted());
});

test.each(['extends', 'names'] as const)(
  'more names than a URL holds, where streams take nothing up (%s): the whole namespace, once',
  async (lacking) => {
    const registry = await context.registry();
    registry[lacking] = false;
    registry.roll.set('service-number-599', [A]);
    const client = context.client(registry);
    const services = Array.from({ length: 600 }, (_, i) => client.service(`service-number-${i}`));
    await until(() => services.every((service) => service.snapshot() !== undefined));
    expect(registry.watches).toHaveLength(2);
    expect(registry.watches[1]!.query.getAll('service')).toEqual([]);
    expect(ids(services[599]!)).toEqual([A.id]);
    const late = client.service('late');
    await late.ready({ endpoints: 0 });
    expect(ids(late)).toEqual([]);
  },
);

test('services read beside a catalog that is only coming: those that do not exist have an empty picture', async () => {
  const registry = await context.registry();
  registry.speaks = false;
  const client = context.client(registry);
  const catalog = client.catalog({ namespace: 'default' });
  await until(() => registry.watches.length === 1);
  const nobody = client.service('nobody');
  registry.watches[0]!.send('bookmark', registry.bookmark());
  await nobody.ready({ endpoints: 0 });
  expect(ids(nobody)).toEqual([]);
  expect([...catalog.services()]).toEqual([]);
});

test.each(['*', 'default'])('closing the last catalog of %s ends the stream', async (namespace) => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  const catalog = context.client(registry).catalog({ namespace });
  await catalog.ready();
  expect([...catalog.services()]).toHaveLength(1);
  catalog.close();
  await until(() => registry.openWatches().length === 0);
});

test('a service read when the catalog is closed goes on, and later ones are shown', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  registry.roll.set('stock', [B]);
  const client = context.client(registry);
  const catalog = client.catalog({ namespace: 'default' });
  await catalog.ready();
  const orders = client.service('orders');
  await orders.ready({ endpoints: 0 });
  catalog.close();
  const stock = client.service('stock');
  await stock.ready({ endpoints: 0 });
  expect(ids(stock)).toEqual(['b/http']);
  registry.change('orders', [B]);
  await until(() => ids(orders).length === 2);
  expect(registry.watches).toHaveLength(1);
});

/** A client of `orders`, whose stream the test speaks on from now on. */
async function silentAfterOrders() {
  const registry = await context.registry();
  for (const [service, endpoint] of [
    ['orders', A],
    ['stock', B],
  ] as const)
    registry.roll.set(service, [endpoint]);
  const client = context.client(registry);
  await client.service('orders').ready({ endpoints: 0 });
  registry.speaks = false;
  const [stream] = registry.watches;
  const show = (...services: string[]) => {
    stream!.send('extended', { namespace: 'default', services });
    for (const service of services) stream!.send('snapshot', registry.snapshot(service));
    stream!.send('bookmark', registry.bookmark());
  };
  return { registry, client, stream: stream!, show };
}
const askedFor = (registry: FakeRegistry) => registry.count('POST', /^\/v1\/watch\//);

test('what a stream shows of a service that was let go before it came is asked for again by who reads it', async () => {
  const { registry, client, show } = await silentAfterOrders();
  const first = client.service('stock');
  await until(() => askedFor(registry) === 1);
  await first.close();
  show('stock');
  const again = client.service('stock');
  await until(() => askedFor(registry) === 2);
  show('stock');
  await again.ready({ endpoints: 0 });
  expect(ids(again)).toEqual(['b/http']);
});

test('a change of a service that is not shown yet is no picture of it', async () => {
  const { registry, client, stream, show } = await silentAfterOrders();
  const stock = client.service('stock');
  await until(() => askedFor(registry) === 1);
  const catalog = client.catalog({ namespace: 'default' });
  registry.roll.set('stock', [A, B]);
  const change = { namespace: 'default', service: 'stock', upserts: [A], removes: [] };
  stream.send('change', { ...change, revision: String(++registry.revision) });
  await until(() => askedFor(registry) === 2);
  expect(stock.snapshot()).toBeUndefined();
  show('stock');
  await stock.ready({ endpoints: 0 });
  expect(ids(stock)).toEqual(['a/http', 'b/http']);
  expect(catalog.isReady).toBe(false);
});

test('a service that was let go beside a catalog is shown anew once the catalog is closed', async () => {
  const registry = await context.registry();
  registry.roll.set('stock', [B]);
  const client = context.client(registry);
  const stock = client.service('stock');
  await Promise.all([
    stock.ready({ endpoints: 0 }),
    client.service('orders').ready({ endpoints: 0 }),
  ]);
  const catalog = client.catalog({ namespace: 'default' });
  await catalog.ready();
  await stock.close();
  catalog.close();
  registry.roll.set('stock', [A]);
  const again = client.service('stock');
  await again.ready({ endpoints: 0 });
  expect(ids(again)).toEqual(['a/http']);
  expect(registry.watches).toHaveLength(1);
});

test('a registry that does not take services up for a while is told of', async () => {
  const { registry } = await watchingOrders(context);
  const warn = vi.fn<Runtime['warn']>();
  const client = context.client(registry, { reconnectMaxMs: 50, runtime: { warn } });
  await client.service('orders').ready({ endpoints: 0 });
  registry.script = ({ path }) => (path.startsWith('/v1/watch/') ? 'overloaded' : undefined);
  const stock = client.service('stock');
  await until(() => warn.mock.calls.length > 0);
  expect(warn.mock.calls[0]![0]).toMatch(
    /^watching namespace default fails, .*scripted overloaded/,
  );
  registry.script = () => undefined;
  await stock.ready({ endpoints: 0 });
});

test('a killed registry leaves the picture and its growing age; the watch resumes by itself', async () => {
  const { registry, orders } = await watchingOrders(context);
  await until(() => orders.ageMs() < 1_000);
  await registry.kill();
  await until(() => orders.ageMs() > 60);
  expect(ids(orders)).toEqual(['a/http']);
  await registry.listen();
  await until(() => registry.openWatches().length === 1);
  expect(registry.openWatches()[0]?.query.get('since')).toBe('1000');
  registry.change('orders', [B]);
  await until(() => ids(orders).length === 2);
});

test('a registry that comes back with an empty store empties nobody; those who return are whole again', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A, B]);
  const orders = context.client(registry, { unconfirmedGraceMs: 400 }).service('orders');
  await orders.ready({ endpoints: 0 });
  await registry.kill();
  registry.roll.clear();
  registry.epoch = 'epoch-2';
  registry.script = ({ query }) => (query.has('since') ? 'replica_behind' : undefined);
  const sizes: number[] = [];
  orders.on('change', ({ endpoints }) => sizes.push(endpoints.length));
  await registry.listen();
  await until(() => orders.endpoints().some(({ state }) => state === 'unconfirmed'));
  expect(orders.endpoints()).toMatchObject([{ tier: 1 }, { tier: 1 }]);
  registry.change('orders', [A]);
  await until(() => orders.endpoints().find(({ instance }) => instance === 'a')?.state === 'up');
  await until(() => orders.endpoints().length === 1);
  expect(ids(orders)).toEqual(['a/http']);
  expect(Math.min(...sizes)).toBe(1);
});

test('a silent stream is dead: another one is opened', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  const orders = context.client(registry, { silenceMs: 150 }).service('orders');
  await orders.ready({ endpoints: 0 });
  await until(() => registry.watches.length >= 2);
  expect(ids(orders)).toEqual(['a/http']);
});

test('a moving server is left for the next url, the old stream staying until the new one is synced', async () => {
  const registries = [await context.registry(), await context.registry()];
  for (const registry of registries) registry.roll.set('orders', [A]);
  const client = context.client(registries, { runtime: { random: () => 0 } });
  const orders = client.service('orders');
  await orders.ready({ endpoints: 0 });
  const [first, second] = registries as [(typeof registries)[0], (typeof registries)[0]];
  second.speaks = false;
  first.watches[0]!.send('bookmark', first.bookmark({ moving: true }));
  await until(() => second.watches.length === 1);
  expect(first.openWatches()).toHaveLength(1);
  second.watches[0]!.send('bookmark', second.bookmark());
  await until(() => first.openWatches().length === 0);
  expect(second.openWatches()).toHaveLength(1);
});

test('a round of servers that are all behind ends the resuming', async () => {
  const registries = [await context.registry(), await context.registry()];
  for (const registry of registries) {
    registry.roll.set('orders', [A]);
    registry.script = ({ query }) => (query.has('since') ? 'replica_behind' : undefined);
  }
  const orders = context.client(registries).service('orders');
  await orders.ready({ endpoints: 0 });
  registries.find((registry) => registry.watches.length === 1)!.watches[0]!.end();
  const asked = () => registries.flatMap(({ seen }) => seen.map(({ query }) => query.has('since')));
  await until(() => asked().filter((hasSince) => !hasSince).length === 2);
  expect(asked().filter(Boolean)).toHaveLength(2);
  await until(() => registries.flatMap((registry) => registry.openWatches()).length === 1);
});

test.each(['warming_up', 'replica_cold'] as const)('%s keeps the last known good', async (code) => {
  const { registry, orders } = await watchingOrders(context);
  registry.script = () => code;
  registry.watches[0]!.end();
  await until(() => registry.seen.length >= 3);
  expect(ids(orders)).toEqual(['a/http']);
  registry.script = () => undefined;
  await until(() => registry.openWatches().length === 1);
});

test('compacted: what is not shown until the next synced bookmark is gone', async () => {
  const { registry, orders } = await watchingOrders(context);
  registry.roll.clear();
  registry.revision = 2_000;
  const [watch] = registry.watches;
  watch!.send('compacted', { revision: '2000', reason: 'test' });
  watch!.send('bookmark', registry.bookmark());
  await until(() => orders.endpoints().length === 0);
});

test('an older snapshot does not undo newer changes, unless a newer bookmark stands behind it', async () => {
  const { registry, orders } = await watchingOrders(context);
  registry.change('orders', [B]);
  await until(() => ids(orders).length === 2);
  const [watch] = registry.watches;
  const old = { ...registry.snapshot('orders'), revision: '900', endpoints: [A] };
  watch!.send('snapshot', old);
  watch!.send('bookmark', { ...registry.bookmark(), revision: '900' });
  registry.change('orders', [endpointAt(3, { instance: 'c' })]);
  await until(() => ids(orders).length === 3);
  watch!.send('snapshot', old);
  registry.revision = 3_000;
  watch!.send('bookmark', registry.bookmark());
  await until(() => ids(orders).length === 1);
});

test('ready rejects when the registry refuses for good, and when it is aborted', async () => {
  const registry = await context.registry();
  registry.script = () => 'unauthenticated';
  const client = context.client(registry);
  await expect(client.service('orders').ready({ endpoints: 0 })).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  await expect(client.service('orders').ready({ endpoints: 0 })).rejects.toMatchObject({
    retryable: false,
  });
  registry.script = () => 'warming_up';
  const other = context.client(registry);
  const given = new AbortController();
  const ready = other.service('stock').ready({ endpoints: 0, signal: given.signal });
  given.abort(new Error('enough'));
  await expect(ready).rejects.toThrow('enough');
});

test('the age counts what the registry says of its own store', async () => {
  const registry = await context.registry();
  const orders = context.client(registry).service('orders');
  await orders.ready({ endpoints: 0 });
  const before = orders.ageMs();
  registry.watches[0]!.send('bookmark', registry.bookmark({ storeAgeMs: 60_000 }));
  expect(before).toBeLessThan(5_000);
  // It proves nothing newer, so the age goes on.
  await until(() => orders.ageMs() > 500);
  const grown = orders.ageMs();
  registry.watches[0]!.send('bookmark', registry.bookmark());
  await until(() => orders.ageMs() < grown);
});

test('a garbled event ends the stream and not the picture', async () => {
  const { registry, orders } = await watchingOrders(context);
  registry.watches[0]!.send('change', { service: 'orders', upserts: 7 });
  await until(() => registry.watches.length === 2);
  expect(ids(orders)).toEqual(['a/http']);
});

test('a closed service is forgotten, opening it again gets a picture', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  const client = context.client(registry);
  await client.service('stock').ready({ endpoints: 0 });
  const orders = client.service('orders');
  await orders.ready({ endpoints: 0 });
  await orders.close();
  await orders.close();
  const again = client.service('orders');
  expect(again).not.toBe(orders);
  await again.ready({ endpoints: 0 });
  expect(ids(again)).toEqual(['a/http']);
});

test('a server that does not know acknowledgements is watched without', async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  registry.script = ({ path, query }) =>
    path === '/v1/watch' && query.has('acks') ? 'invalid_request' : undefined;
  registry.field = 'acks';
  const orders = context.client(registry).service('orders');
  await orders.ready();
  expect(ids(orders)).toEqual([A.id]);
});
