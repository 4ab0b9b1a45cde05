import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '@rollcall/client-sdk';
import { TestRegistry } from '../index.ts';

let registry: TestRegistry;
beforeEach(async () => {
  registry = await TestRegistry.start();
});
afterEach(() => registry.stop());

const SILENT = { info() {}, warn() {} };

async function watching(): Promise<{
  orders: Service;
  client: ReturnType<TestRegistry['client']>;
}> {
  const client = registry.client({ logger: SILENT, reconnectMaxMs: 50 });
  const orders = client.service('orders');
  await registry.addInstance('orders');
  await registry.addInstance('orders');
  await registry.until(orders, ({ length }) => length === 2);
  return { orders, client };
}

const isUp = (all: readonly { readonly state: string }[]) =>
  all.length === 2 && all.every(({ state }) => state === 'up');

test('the registry is away: calls go on, and it comes back with its roll', async () => {
  const { orders, client } = await watching();
  await registry.goAway();
  await expect.poll(() => client.connection).not.toBe('connected');
  for (let i = 0; i < 10; i++) {
    const reply = await orders.request('/');
    expect(await reply.body.text()).toMatch(/^orders-[12]$/);
  }
  await expect(fetch(registry.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  await registry.comeBack();
  await registry.until('orders', isUp);
  await expect.poll(() => client.connection).toBe('connected');
  // A killed server says no goodbye: its own entry is still there, beside that of its successor.
  await registry.until('rollcall', ({ length }) => length === 2);
  // Nobody had to register again.
  const { events } = await client.call('events', { query: { service: 'orders' } });
  expect(events.map(({ kind }) => kind)).not.toContain('registered');
  expect(isUp(orders.endpoints())).toBe(true);
});

test('it comes back empty: the instances register again, and no caller sees an empty service', async () => {
  const { orders, client } = await watching();
  const resolve = () => client.call('resolve', { params: { ns: 'default', svc: 'stock' } });
  await expect(resolve()).rejects.toMatchObject({ code: 'service_not_found' });
  const sizes: number[] = [];
  orders.on('change', ({ endpoints }) => void sizes.push(endpoints.length));
  const before = await registry.endpoints('orders');
  await registry.goAway();
  expect(await registry.endpoints('orders')).toEqual([]);
  await registry.comeBack({ empty: true });
  await expect(resolve()).rejects.toMatchObject({ code: 'warming_up' });
  await registry.until('orders', isUp);
  await registry.until(orders, isUp);
  expect((await registry.endpoints('orders')).map(({ id }) => id).toSorted()).toEqual(
    before.map(({ id }) => id).toSorted(),
  );
  expect(sizes).not.toContain(0);
});

test('it refuses as it is told, as often as it is told, and is well again', async () => {
  const client = registry.client();
  const code = 'store_unavailable';
  registry.refuse(100, code, { method: 'GET', path: /services\/orders/ });
  const read = (svc: string) => client.call('readService', { params: { ns: 'default', svc } });
  await expect(read('orders')).rejects.toMatchObject({ code, retryable: true });
  await expect(read('stock')).rejects.toMatchObject({ code: 'service_not_found' });
  registry.heal();
  await expect(read('orders')).rejects.toMatchObject({ code: 'service_not_found' });
  const url = `${registry.url}/v1/namespaces/default/services`;
  registry.refuse(1, 'overloaded');
  const refused = await fetch(url);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect(await refused.json()).toMatchObject({ code: 'overloaded', retryable: true });
  expect((await fetch(url)).status).toBe(200);
  expect(() => registry.refuse(1, 'overlaoded' as 'overloaded')).toThrow('option code: ');
});

test('it is slow: a client with less patience gives up, one with more gets its answer', async () => {
  registry.slow(10_000);
  const params = { ns: 'default' };
  const hasty = registry.client({ requestTimeoutMs: 100 });
  await expect(hasty.call('listServices', { params })).rejects.toMatchObject({
    code: 'registry_unreachable',
  });
  registry.slow(300);
  const patient = registry.client({ requestTimeoutMs: 5_000 });
  const startMs = performance.now();
  await patient.call('listServices', { params });
  expect(performance.now() - startMs).toBeGreaterThan(290);
  registry.slow(0);
  await hasty.call('listServices', { params });
});
