import { afterEach, expect, test } from 'vitest';
import { closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

test('each endpoint is chosen, or has a reason why not', async () => {
  const [one, two] = [await backendOf(context, 'one'), await backendOf(context, 'two')];
  const refusing = await closedPort();
  const { service } = await serveOrders(context, [
    endpointAt(refusing, { instance: 'refusing' }),
    endpointAt(one.port, { instance: 'one', zone: 'eu-1' }),
    endpointAt(two.port, { instance: 'two' }),
    endpointAt(1, { instance: 'leaving', state: 'draining' }),
    endpointAt(2, { instance: 'doubted', state: 'suspect' }),
    endpointAt(3, { instance: 'idle', weight: 0 }),
    endpointAt(4, { instance: 'one', portName: 'admin' }),
  ]);
  expect(await (await service.request('/x')).body.text()).toBe('one');
  const reasons = (explained = service.explain()) =>
    Object.fromEntries(explained.endpoints.map(({ id, reason }) => [id, reason]));
  const others = {
    'leaving/http': 'draining',
    'doubted/http': 'suspect',
    'idle/http': 'no_weight',
    'one/admin': 'other_port',
  };
  const open = { 'one/http': undefined, 'two/http': undefined };
  expect(reasons()).toEqual({ ...open, 'refusing/http': 'ejected', ...others });
  expect(service.explain().endpoints[0]).toMatchObject({
    canBeChosen: false,
    ejection: { kind: 'connect', lastFailure: expect.stringContaining('ECONNREFUSED') },
  });
  const filtered = service.explain({ endpoint: { zone: 'eu-1' } });
  expect(filtered.chosen).toBe('one/http');
  expect(reasons(filtered)).toMatchObject({ 'two/http': 'filtered', 'doubted/http': 'filtered' });
});

test('it says where the next call goes, and takes no turn', async () => {
  const backends = [];
  for (const name of ['a', 'b', 'c']) backends.push(await backendOf(context, name));
  const { service } = await serveOrders(
    context,
    backends.map(({ port }, at) => endpointAt(port, { instance: 'abc'.charAt(at) })),
  );
  for (let call = 0; call < 7; call++) {
    const { chosen, isDrawn } = service.explain();
    service.explain();
    expect([`${await (await service.request('/x')).body.text()}/http`, isDrawn]).toEqual([
      chosen,
      false,
    ]);
  }
  expect(service.stats().calls).toBe(7);
});

test('it shows what the policy sees, is frozen, and is a text for people', async () => {
  const busy = await backendOf(context, 'busy', () => {});
  const { service } = await serveOrders(
    context,
    [endpointAt(busy.port, { instance: 'busy' }), endpointAt(1, { instance: 'x', state: 'down' })],
    { policy: 'p2c', calls: { ejection: { failuresInARow: 1 } } },
  );
  const call = service.request('/x', { tryTimeoutMs: 300 }).catch(() => {});
  await until(() => busy.seen.length === 1);
  const explained = service.explain();
  expect(explained).toMatchObject({
    policy: 'p2c',
    chosen: 'busy/http',
    isDrawn: false,
    endpoints: [{ inFlight: 1, weight: 100, canBeChosen: true, reason: undefined }, {}],
  });
  expect(Object.isFrozen(explained) && Object.isFrozen(explained.endpoints[0])).toBe(true);
  expect(String(explained)).toBe(explained.text);
  expect(explained.text).toMatch(
    /^a call of default\/orders would go to busy\/http \(p2c; picture \d+\.\d s old\)\n {2}busy\/http at 127\.0\.0\.1:\d+ \(up, weight 100, 1 in flight\): can be chosen\n {2}x\/http at 127\.0\.0\.1:1 \(down, weight 100, 0 in flight\): not now: down$/,
  );
  await call;
  expect(service.explain()).toMatchObject({ chosen: 'busy/http', endpoints: [{}, {}] });
  expect(service.explain().text).toMatch(
    /busy\/http .*: can be chosen, as too many are left out: ejected for another \d+ ms: calls in a row failed, last: no answer within 300 ms/,
  );
});

test('with nothing to choose it says why', async () => {
  const { service } = await serveOrders(context, [endpointAt(1, { state: 'down' })]);
  const { chosen, text } = service.explain();
  expect(chosen).toBeUndefined();
  expect(text).toMatch(
    /^no endpoint of default\/orders can be called: on the roll 1 down on http, /,
  );
  expect(() => service.explain({ endpoint: { zone: '' } })).toThrow(/option endpoint.zone/);
  await service.close();
  expect(service.explain().text).toMatch(/^service default\/orders was closed/);
});
