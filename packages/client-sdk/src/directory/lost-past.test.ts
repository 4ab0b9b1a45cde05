import { afterEach, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { B, ids, until, watchingOrders } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

/** B came with revision 1001, and the server that showed it is gone; the next one has A and is at revision 1000. */
async function moved(): ReturnType<typeof watchingOrders> {
  const { registry, orders } = await watchingOrders(context);
  registry.change('orders', [B]);
  await until(() => ids(orders).length === 2);
  const [a] = registry.roll.get('orders') ?? [];
  registry.roll.set('orders', a === undefined ? [] : [a]);
  registry.revision = 1_000;
  registry.watches[0]!.end();
  await until(() => registry.watches.length === 2);
  return { registry, orders };
}

test('G4: a stream that outlives a wipe of the store is of the new one, and so is the stream after it', async () => {
  const { registry, orders } = await watchingOrders(context);
  registry.epoch = 'epoch-2';
  registry.change('orders', [B]);
  registry.watches[0]!.send('bookmark', registry.bookmark());
  await until(() => ids(orders).length === 2);
  registry.watches[0]!.end();
  await until(() => registry.openWatches().length === 1 && registry.watches.length === 2);
  expect(registry.watches[1]?.query.get('since')).toBe('1001');
  registry.change('orders', [], ['a/http']);
  await until(() => ids(orders).length === 1);
  expect(ids(orders)).toEqual(['b/http']);
});

test('G5: a revision that the next server goes past and never shows is of a lost past: the picture is asked for anew', async () => {
  const { registry, orders } = await moved();
  expect(registry.watches[1]?.query.get('since')).toBe('1000');
  expect(ids(orders)).toEqual(['a/http', 'b/http']);
  registry.change('stock', []);
  registry.change('stock', []);
  registry.watches[1]!.send('bookmark', registry.bookmark());
  await until(() => registry.watches.length === 3);
  expect(registry.watches[2]?.query.has('since')).toBe(false);
  // For a grace it is kept as a last resort, as with any store that does not know it.
  await until(() => orders.endpoints().find(({ id }) => id === 'b/http')?.tier === 1);
  expect(orders.endpoints().find(({ id }) => id === 'a/http')?.tier).toBe(0);
});

test('G5: a lost past stays lost when the next stream is refused: nothing is resumed before snapshots came', async () => {
  const { registry, orders } = await moved();
  let refusals = 0;
  registry.script = ({ path }) =>
    path === '/v1/watch' && refusals++ < 2 ? 'too_many_watches' : undefined;
  registry.revision = 1_005;
  registry.watches[1]!.send('bookmark', registry.bookmark());
  registry.watches[1]!.send('bookmark', registry.bookmark());
  await until(() => refusals > 0);
  registry.watches[1]!.send('bookmark', registry.bookmark());
  registry.watches[1]!.end();
  await until(() => registry.watches.length === 3);
  const asked = registry.seen.filter(({ path }) => path === '/v1/watch').slice(2);
  expect(asked.map(({ query }) => query.has('since'))).toEqual(asked.map(() => false));
  await until(() => orders.endpoints().find(({ id }) => id === 'b/http')?.tier === 1);
});

test('G3: a change that stands for several is no gap: it covers the revision that is held', async () => {
  // Another server holds back what flaps: it has seen as much, and has sent less.
  const { registry, orders } = await moved();
  const { revision: _, ...held } = registry.bookmark() as { revision: string };
  registry.watches[1]!.send('bookmark', { ...held, revision: '1000', applied: '1004' });
  registry.watches[1]!.send('change', {
    namespace: 'default',
    service: 'orders',
    revision: '1004',
    first: '1001',
    upserts: [endpointAt(3, { instance: 'c' })],
    removes: ['b/http'],
  });
  await until(() => ids(orders).join() === 'a/http,c/http');
  registry.watches[1]!.send('bookmark', { ...held, revision: '1004', applied: '1004' });
  await until(() => orders.snapshot()?.revision === '1004');
  expect(registry.watches).toHaveLength(2);
});

test('G3: a server that is only behind shows the revision in the end: nothing is asked for anew', async () => {
  const { registry, orders } = await moved();
  registry.change('orders', [B]);
  registry.change('orders', [endpointAt(3, { instance: 'c' })]);
  registry.watches[1]!.send('bookmark', registry.bookmark());
  await until(() => ids(orders).length === 3);
  expect(registry.watches).toHaveLength(2);
});
