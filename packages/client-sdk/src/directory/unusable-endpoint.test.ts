import type { Endpoint } from '@rollcall/contract';
import { afterEach, expect, test, vi } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { ids, until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

const faults: [string, Partial<Record<keyof Endpoint, unknown>>, string][] = [
  ['a weight below 0', { weight: -5 }, 'weight'],
  ['a weight that is no number', { weight: Number.NaN }, 'weight'],
  ['a weight that is none', { weight: undefined }, 'weight'],
  ['a weight beyond all', { weight: 70_000 }, 'weight'],
  ['a port of 0', { port: 0 }, 'port'],
  ['a port beyond all', { port: 70_000 }, 'port'],
  ['a port that is no number', { port: '80' }, 'port'],
  ['an address that no url takes', { address: 'web.1.' }, 'address'],
  ['an address that means another', { address: '1.2.3' }, 'address'],
  ['an address with a path', { address: 'a/b' }, 'address'],
  ['no address', { address: '' }, 'address'],
  ['a state that is not known', { state: 'asleep' }, 'state'],
];

test.each(faults)('%s: it is left out and told of, the others go on', async (_, fault, field) => {
  const alive = await backendOf(context, 'alive');
  const warn = vi.fn<(message: string) => void>();
  const bad = { ...endpointAt(9, { instance: 'bad' }), ...fault } as Endpoint;
  const { registry, service } = await serveOrders(context, [bad, alive.port], {
    runtime: { warn },
  });
  expect(ids(service)).toEqual([`i-${alive.port}/http`]);
  for (let call = 0; call < 4; call++)
    expect(await (await service.request('/x')).body.text()).toBe('alive');
  // One that turns bad is no longer called either.
  const good = endpointAt(9, { instance: 'bad', state: 'starting' });
  registry.change('orders', [good]);
  await until(() => ids(service).includes('bad/http'));
  registry.change('orders', [bad]);
  await until(() => !ids(service).includes('bad/http'));
  expect(service.stats()).toMatchObject({ retries: 0, failures: 0, ejections: 0 });
  expect(warn.mock.calls).toHaveLength(1);
  expect(warn.mock.calls[0]?.[0]).toMatch(
    new RegExp(`^endpoint default/orders/bad/http is left out .*: ${field}: `),
  );
});

test('the catalog of all services goes on without it too', async () => {
  const { client, registry } = await serveOrders(context, []);
  const catalog = client.catalog();
  context.onEnd(() => catalog.close());
  await catalog.ready();
  registry.change('orders', [endpointAt(9, { weight: -5, instance: 'bad' }), endpointAt(1)]);
  await until(() => catalog.service('default', 'orders') !== undefined);
  expect(catalog.service('default', 'orders')?.endpoints.map(({ id }) => id)).toEqual(['i-1/http']);
});
