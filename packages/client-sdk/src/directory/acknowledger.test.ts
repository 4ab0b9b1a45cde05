import { afterEach, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { until, watchingOrders } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

test('what drains at once is acknowledged by one request, up to the last revision', async () => {
  const { registry } = await watchingOrders(context);
  const acks = () => registry.seen.filter(({ path }) => path === '/v1/watch/acks');
  for (const instance of ['b', 'c'])
    registry.change('orders', [endpointAt(1, { instance, state: 'draining' })]);
  await until(() => acks().length > 0);
  // One that drains is waited for: a second request would have been sent by then.
  registry.change('orders', [endpointAt(1, { instance: 'd', state: 'draining' })]);
  await until(() => acks().length > 1);
  const { id } = registry.openWatches()[0]!;
  expect(acks().map(({ body }) => body)).toEqual([
    { acks: [{ stream: id, revision: '1002' }] },
    { acks: [{ stream: id, revision: '1003' }] },
  ]);
});
