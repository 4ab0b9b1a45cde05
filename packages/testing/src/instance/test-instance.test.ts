import type { Service, ServiceRequestOptions } from '@rollcall/client-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestRegistry } from '../index.ts';

let registry: TestRegistry;
let orders: Service;
beforeEach(async () => {
  registry = await TestRegistry.start();
  orders = registry.client({ policy: 'round-robin' }).service('orders');
});
afterEach(() => registry.stop());

const call = async (path = '/', options: Omit<ServiceRequestOptions, 'path'> = {}) => {
  const reply = await orders.request(path, options);
  return { status: reply.statusCode, text: await reply.body.text() };
};

const callers = async (count: number) => {
  const replies = await Promise.all(Array.from({ length: count }, () => call()));
  return new Set(replies.map(({ text }) => text));
};

/** Two instances, which the client sees. */
async function pair() {
  const both = [
    await registry.addInstance('orders'),
    await registry.addInstance('orders'),
  ] as const;
  await registry.until(orders, ({ length }) => length === 2);
  return both;
}

test('an instance dies under calls: idempotent calls do not fail, and it is soon off the roll', async () => {
  const [first, second] = await pair();
  first.hang();
  const before = first.requests.length;
  const underWay = Array.from({ length: 10 }, () => call('/slow'));
  await expect.poll(() => first.requests.length).toBeGreaterThan(before);
  await first.die();
  const replies = await Promise.all(underWay);
  expect(new Set(replies.map(({ text }) => text))).toEqual(new Set([second.id]));
  const [left] = await registry.until(orders, ({ length }) => length === 1);
  expect(left).toMatchObject({ instance: second.id });
  // The connection that it held broke; the end of its TTL would be later.
  const { events } = await registry.client().call('events', { query: { service: 'orders' } });
  expect(events.map(({ kind }) => kind)).toContain('expired');
});

test('it comes back as a new process, at the same port and with the same id', async () => {
  const [first] = await pair();
  const { port } = first;
  await first.die();
  await registry.until(orders, ({ length }) => length === 1);
  await first.revive();
  await registry.until(orders, (all) => all.filter(({ state }) => state === 'up').length === 2);
  expect(first.port).toBe(port);
  expect(orders.endpoints()).toContainEqual(expect.objectContaining({ instance: first.id, port }));
});

test('it takes its place back while the registry still doubts its death', async () => {
  const [first] = await pair();
  await first.die();
  await first.revive();
  const isUp = (id: string) =>
    registry.until('orders', (all) =>
      all.some(({ instance, state }) => instance === id && state === 'up'),
    );
  await isUp(first.id);
  await expect.poll(() => callers(4)).toContain(first.id);
});

test('an instance that fails is left out after a while, and called again once it is healthy', async () => {
  const [first, second] = await pair();
  first.fail(503);
  await expect.poll(() => callers(10)).toEqual(new Set([second.id]));
  expect(first.requests.length).toBeGreaterThanOrEqual(5);
  first.revive().catch(() => {});
  await expect.poll(() => callers(10)).toContain(first.id);
});

test('a slow instance answers late; one that hangs does not answer within the time limit', async () => {
  const instance = await registry.addInstance('orders');
  await registry.until(orders, ({ length }) => length === 1);
  instance.slow(50);
  const startMs = performance.now();
  expect(await call()).toEqual({ status: 200, text: 'orders-1' });
  expect(performance.now() - startMs).toBeGreaterThan(45);
  instance.hang();
  await expect(call('/', { headersTimeout: 20 })).rejects.toMatchObject({ code: 'response_lost' });
  expect(instance.requests).toHaveLength(2);
});

test('what makes no sense is refused', async () => {
  const instance = await registry.addInstance('orders');
  expect(() => instance.fail(99)).toThrow(
    'option statusCode: expected a status of HTTP, 200 to 599, got 99',
  );
  expect(() => instance.slow('long')).toThrow('option duration: expected milliseconds');
  instance.vanish();
  await expect(instance.drain()).rejects.toThrow('orders-1 does not run: revive() it first');
  await instance.leave();
  await expect(registry.addInstance('orders', { zones: 'a' } as object)).rejects.toThrow(
    'option zones: there is no such option',
  );
});

test('one that drains gets no new calls and still answers; after it has left it is gone', async () => {
  const [first, second] = await pair();
  await first.drain();
  await registry.until(orders, (all) => all.some(({ terminating }) => terminating));
  expect(await callers(4)).toEqual(new Set([second.id]));
  expect(await (await fetch(first.url)).text()).toBe(first.id);
  await first.leave();
  await registry.until(orders, ({ length }) => length === 1);
  const { events } = await registry.client().call('events', { query: { service: 'orders' } });
  expect(events.map(({ kind }) => kind)).toContain('deregistered');
  await first.revive();
  await registry.until(orders, ({ length }) => length === 2);
});
