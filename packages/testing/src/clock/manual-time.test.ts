import { Rollcall } from '@rollcall/client-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestRegistry } from '../index.ts';

let registry: TestRegistry;
beforeEach(async () => {
  registry = await TestRegistry.start({ clock: 'manual' });
});
afterEach(() => registry.stop());

const states = async () =>
  (await registry.endpoints('orders')).map(({ instance, state }) => `${instance} ${state}`);

/** A client that shares the clock, and sees the instances. */
async function watching(count: number) {
  const instances = [];
  for (let i = 0; i < count; i++) instances.push(await registry.addInstance('orders'));
  const orders = registry.client().service('orders');
  await orders.ready({ endpoints: count });
  expect(orders.endpoints()).toHaveLength(count);
  return { instances, orders };
}

test('an instance whose TTL is over leaves the roll and every picture; those that live stay', async () => {
  const { instances, orders } = await watching(2);
  instances[0]?.vanish();
  const startMs = performance.now();
  const beforeMs = registry.clock.wallMs();
  await registry.turn('6s');
  expect(await states()).toEqual(['orders-1 up', 'orders-2 up']);
  await registry.turn('6s');
  expect(registry.clock.wallMs() - beforeMs).toBeCloseTo(12_000, 2);
  expect(performance.now() - startMs).toBeLessThan(6_000);
  // No waiting: what fell due is done, in the client too.
  expect(orders.endpoints().map(({ instance }) => instance)).toEqual(['orders-2']);
  await registry.turn('5m');
  expect(await states()).toEqual(['orders-2 up']);
});

test('nothing happens by itself', async () => {
  const { instances } = await watching(1);
  await instances[0]?.die();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await states()).toEqual(['orders-1 suspect']);
  await registry.turn(2_500);
  expect(await states()).toEqual([]);
});

test('a client on real time sends no heartbeat while the clock is turned', async () => {
  const client = new Rollcall({ url: registry.url });
  // Its heartbeats, every third of it, are rarer than the turn is long.
  const short = { service: 'orders', port: 3_000, ttlMs: 9_000 };
  await client.register({ ...short, id: 'real' });
  const shared = new Rollcall({ url: registry.url, runtime: registry.runtime });
  await shared.register({ ...short, id: 'shared' });
  await registry.turn('30s');
  expect(await states()).toEqual(['shared up']);
  // Its next heartbeat, in real time, learns it.
  await expect.poll(states, { timeout: 60_000 }).toContain('real up');
  await Promise.all([client.close(), shared.close()]);
});

test('the registry is away longer than a TTL: nobody sweeps, and it comes back with its roll in doubt', async () => {
  const { orders } = await watching(2);
  await registry.goAway();
  await registry.turn('30s');
  expect(orders.endpoints()).toHaveLength(2);
  await registry.comeBack();
  expect(await states()).toEqual(['orders-1 unconfirmed', 'orders-2 unconfirmed']);
  await registry.turn('10s');
  expect(await states()).toEqual(['orders-1 up', 'orders-2 up']);
  expect(orders.endpoints().map(({ state }) => state)).toEqual(['up', 'up']);
});

test('slow means slow by this clock', async () => {
  const { instances, orders } = await watching(1);
  instances[0]?.slow(5_000);
  let text = '';
  const calling = orders.request('/').then(async (reply) => (text = await reply.body.text()));
  await registry.turn('4s');
  expect(instances[0]?.requests).toHaveLength(1);
  expect(text).toBe('');
  await registry.turn('1s');
  await calling;
  expect(text).toBe('orders-1');
});

test('a registry that is away can be stopped, clients included', async () => {
  await watching(1);
  await registry.goAway();
  await registry.stop();
});

test('turns follow one another', async () => {
  const beforeMs = registry.clock.wallMs();
  await Promise.all([registry.turn('1s'), registry.turn(500), registry.turn('0.5s')]);
  expect(registry.clock.wallMs() - beforeMs).toBeCloseTo(2_000, 2);
});

test.each(['30', '1d', 'soon', -1, Number.NaN, '25h'])(
  'the duration %j is refused',
  async (given) => {
    await expect(registry.turn(given)).rejects.toThrow(
      'option duration: expected milliseconds, or a',
    );
  },
);

test('real time cannot be turned, and says how it can', async () => {
  await using real = await TestRegistry.start();
  await expect(real.turn('1s')).rejects.toThrow("start the registry with clock: 'manual'");
});
