import type { Dispatcher } from 'undici';
import { Agent, request } from 'undici';
import { afterEach, expect, test, vi } from 'vitest';
import type { Runtime } from '../base/runtime.ts';
import { SYSTEM_RUNTIME } from '../base/system-runtime.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt, type FakeRegistry } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';
import type { LiveService } from './live-service.ts';
import { SharedServices } from './shared-services.ts';

const context = new TestContext();
afterEach(() => context.end());

/** Looks are taken when the test says so: what waits a minute waits for that. */
function lookedAt() {
  const looks: (() => void)[] = [];
  const after: Runtime['after'] = (delayMs, act, options) => {
    if (delayMs !== 60_000) return SYSTEM_RUNTIME.after(delayMs, act, options);
    looks.push(act);
    return { cancel: () => {} };
  };
  return { runtime: { after }, looks, look: () => looks.splice(0).forEach((act) => act()) };
}

test('closing one handle leaves the service to the others', async () => {
  const alive = await backendOf(context, 'alive');
  const { client, registry, service } = await serveOrders(context, [alive.port]);
  const other = client.service('orders');
  const [changes, others] = [vi.fn<() => void>(), vi.fn<() => void>()];
  service.on('change', changes);
  other.on('change', others);
  await service.close();
  await service.close();
  registry.change('orders', [endpointAt(9, { state: 'down' })]);
  await until(() => others.mock.calls.length === 1);
  expect(changes).not.toHaveBeenCalled();
  expect(await (await other.request('/x')).body.text()).toBe('alive');
  const closed = { code: 'closed' };
  await expect(service.request('/x')).rejects.toMatchObject(closed);
  await expect(service.fetch('/x')).rejects.toMatchObject(closed);
  await expect(service.ready()).rejects.toMatchObject(closed);
  expect(service.pick()).toMatchObject({ kind: 'none', error: closed });
  await other.close();
  await until(() => registry.openWatches().length === 0);
  // Asked for again, it is there again.
  const again = client.service('orders');
  expect(await (await again.request('/x')).body.text()).toBe('alive');
});

test('a listener that throws ends nothing', async () => {
  const warn = vi.fn<Runtime['warn']>();
  const { registry, service } = await serveOrders(context, [], { runtime: { warn } });
  const heard = vi.fn<() => void>();
  service.on('change', () => {
    throw new Error('listener');
  });
  service.on('change', heard);
  registry.change('orders', [endpointAt(1)]);
  await until(() => heard.mock.calls.length === 1);
  expect(service.endpoints()).toHaveLength(1);
  expect(warn.mock.calls[0]?.[0]).toContain("a listener of 'change' failed: Error: listener");
});

async function asking(names: number) {
  const { runtime, look, looks } = lookedAt();
  const alive = await backendOf(context, 'alive');
  const registry = await context.registry();
  registry.roll.set('orders', [endpointAt(alive.port)]);
  const client = context.client(registry, { runtime });
  const agent = new Agent();
  context.onEnd(() => agent.destroy());
  const dispatcher: Dispatcher = agent.compose(client.interceptor());
  const ask = async (name: string) => {
    const reply = await request(`http://${name}.rollcall/`, { dispatcher });
    return reply.body.text();
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: names }, (_, at) => ask(`name-${at}`)),
  );
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  return { client, registry, ask, look, looks };
}

const watched = (registry: FakeRegistry) =>
  registry.openWatches().flatMap(({ query }) => query.getAll('service'));

test('names that nobody calls any more are forgotten, with their watch', async () => {
  const { registry, ask, look, looks } = await asking(3);
  expect(await ask('orders')).toBe('alive');
  expect(looks).toHaveLength(1);
  for (let minute = 0; minute < 6; minute++) {
    look();
    expect(await ask('orders')).toBe('alive');
  }
  // The next stream is for those that are left.
  await expect(ask('another')).rejects.toThrow(/no endpoint of default\/another/);
  await until(() => {
    const names = watched(registry);
    return names.toSorted().join(' ') === 'another orders';
  });
  for (let minute = 0; minute < 7; minute++) look();
  await until(() => registry.openWatches().length === 0);
  expect(looks).toEqual([]);
  expect(await ask('orders')).toBe('alive');
});

test('a service that somebody holds is not forgotten', async () => {
  const { client, ask, look } = await asking(0);
  const held = client.service('orders');
  expect(await ask('orders')).toBe('alive');
  for (let minute = 0; minute < 7; minute++) look();
  expect(await (await held.request('/x')).body.text()).toBe('alive');
});

test('a thousand names are kept at most, those with calls under way before others', () => {
  const services = new SharedServices({
    ...SYSTEM_RUNTIME,
    after: () => ({ cancel: () => {} }),
  });
  const closed: string[] = [];
  const make = (label: string, inFlight: number) => () =>
    ({
      label,
      stats: () => ({ calls: 0, inFlight }),
      close: () => Promise.resolve(void closed.push(label)),
    }) as unknown as LiveService;
  services.shared('busy', make('busy', 1));
  for (let at = 0; at < 1_050; at++) services.shared(`${at}`, make(`${at}`, 0));
  expect(services.size).toBe(1_000);
  expect(closed).toEqual(Array.from({ length: 51 }, (_, at) => `${at}`));
});
