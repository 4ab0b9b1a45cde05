import { afterEach, expect, test } from 'vitest';
import { closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

const A = endpointAt(1, { instance: 'a' });
const B = endpointAt(2, { instance: 'b' });

async function opened() {
  const registry = await context.registry();
  const client = context.client(registry);
  return { registry, client, orders: client.service('orders') };
}

/** Whether it has settled by the next turn of the loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => (settled = true);
  promise.then(note, note);
  await new Promise((done) => setImmediate(done));
  return settled;
}

test('ready waits for the first endpoint that can be called, not for a picture alone', async () => {
  const { registry, orders } = await opened();
  const ready = orders.ready();
  await orders.ready({ endpoints: 0 });
  expect(orders.snapshot()?.endpoints).toEqual([]);
  expect(await isSettled(ready)).toBe(false);
  registry.change('orders', [endpointAt(3, { instance: 'c', state: 'starting' })], []);
  await until(() => orders.endpoints().length === 1);
  expect(await isSettled(ready)).toBe(false);
  registry.change('orders', [A], []);
  await ready;
  expect(orders.pick().kind).toBe('picked');
});

test('ready for several', async () => {
  const { registry, orders } = await opened();
  const ready = orders.ready({ endpoints: 2 });
  await orders.ready({ endpoints: 0 });
  registry.change('orders', [A], []);
  await orders.ready();
  expect(await isSettled(ready)).toBe(false);
  registry.change('orders', [B], []);
  await ready;
});

test('an end of its time says what is known', async () => {
  const { registry, orders, client } = await opened();
  await orders.ready({ endpoints: 0 });
  await expect(orders.ready({ timeoutMs: 20 })).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(
      /^service default\/orders was not ready within 20 ms: no endpoint of default\/orders can be called: no instance is on the roll, picture \d\.\d s old$/,
    ),
  });
  registry.change('orders', [A, endpointAt(3, { instance: 'c', state: 'draining' })], []);
  await orders.ready();
  await expect(orders.ready({ endpoints: 3, timeoutMs: 20 })).rejects.toMatchObject({
    message: expect.stringContaining(
      'only 1 of 3 endpoints of default/orders can be called: on the roll 1 up on http, 1 draining on http, ',
    ),
  });
  const giveUp = AbortSignal.timeout(20);
  await expect(orders.ready({ endpoints: 3, signal: giveUp })).rejects.toMatchObject({
    name: 'TimeoutError',
    cause: { code: 'no_endpoints', message: expect.stringContaining('only 1 of 3 endpoints') },
  });
  await expect(client.service('orders').ready({ endpoints: 0, timeoutMs: 20 })).resolves.toBe(
    undefined,
  );
});

test('while no registry answers it says so', async () => {
  const client = context.client([], { url: `http://127.0.0.1:${await closedPort()}` });
  const orders = client.service('orders');
  await until(() => client.connection === 'unreachable');
  await expect(orders.ready({ timeoutMs: 20 })).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(
      /the registry has shown nothing yet; the watch is down: .*ECONNREFUSED/,
    ),
    cause: { code: 'registry_unreachable' },
  });
});

test('closing one handle ends its own wait only', async () => {
  const { client, registry, orders } = await opened();
  const other = client.service('orders');
  const waits = [orders.ready(), other.ready()] as const;
  await orders.ready({ endpoints: 0 });
  await orders.close();
  await expect(waits[0]).rejects.toMatchObject({ code: 'closed' });
  registry.change('orders', [A], []);
  await waits[1];
});

test.each([
  [{ endpoints: -1 }, 'option endpoints: '],
  [{ endpoint: 1 }, 'option endpoint: there is no such option; did you mean endpoints?'],
  [{ timeoutMs: 'soon' }, 'option timeoutMs: expected milliseconds, 0 to 3600000, got "soon"'],
  [{ signal: 5 }, 'option signal: expected an AbortSignal, got 5'],
])('%j makes no sense', async (options, message) => {
  const { orders } = await opened();
  await expect(orders.ready(options as object)).rejects.toMatchObject({
    code: 'invalid_options',
    message: expect.stringContaining(message),
  });
});

test('a client that waits for no first picture fails a call at once', async () => {
  const registry = await context.registry();
  registry.speaks = false;
  const orders = context.client(registry, { firstPictureWaitMs: 0 }).service('orders');
  await expect(orders.request('/')).rejects.toMatchObject({ code: 'no_endpoints' });
});
