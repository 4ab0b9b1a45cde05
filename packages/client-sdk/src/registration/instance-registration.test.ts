import { afterEach, expect, test, vi } from 'vitest';
import type { Registration } from '../api/registration.ts';
import type { Runtime } from '../base/runtime.ts';
import { SYSTEM_RUNTIME } from '../base/system-runtime.ts';
import { TestContext } from '../testing/context.ts';
import type { FakeRegistry } from '../testing/fake-registry.ts';

const context = new TestContext();
afterEach(() => context.end());
const until = (condition: () => unknown, timeout = 30_000) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 5 });
const INSTANCE = /\/instances\//;
const RENEW = /renew$/;

/** The names of the events of a registration as they come. */
function eventsOf(registration: Registration): string[] {
  const events: string[] = [];
  for (const name of ['lost', 'reregistered', 'superseded', 'released'] as const)
    registration.on(name, () => events.push(name));
  return events;
}

const puts = (registry: FakeRegistry) => registry.seen.filter(({ method }) => method === 'PUT');
const forget = (registry: FakeRegistry) => registry.leases.clear();

test('registers with a nonce and takeover, heartbeats every third of the TTL, holds', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const registration = await client.register({ service: 'orders', port: 3_000, ttlMs: 1_000 });
  expect(registration).toMatchObject({ state: 'held', service: 'orders', namespace: 'default' });
  expect(registration.id).toMatch(/^[A-Za-z0-9].*-\d+-[0-9a-f]{8}$/);
  const [put] = puts(registry);
  expect(put?.query.get('takeover')).toBe('true');
  expect(put?.body).toMatchObject({
    ports: { http: { port: 3_000 } },
    ttlMs: 1_000,
    nonce: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  });
  let renewed = 0;
  registration.on('renewed', () => renewed++);
  await until(() => renewed >= 3);
  expect(registry.openHolds()).toHaveLength(1);
  expect(puts(registry)).toHaveLength(1);
});

test('heartbeats and hold are shared by the registrations of a client', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const ids = ['a', 'b', 'c'];
  await Promise.all(
    ids.map((id) => client.register({ service: 'orders', id, port: 1, ttlMs: 1_000 })),
  );
  await until(() => registry.openHolds().some(({ query }) => query.getAll('lease').length === 3));
  await until(() => registry.count('POST', RENEW) >= 2);
  const renewals = registry.seen.filter(({ path }) => RENEW.test(path));
  expect(renewals.at(-1)?.body).toMatchObject({ leases: { length: 3 } });
  await client.register({ service: 'stock', id: 'd', port: 1 });
  await until(() => registry.openHolds().some(({ query }) => query.getAll('lease').length === 4));
  await until(() => registry.openHolds().length === 1);
});

test('an unreachable registry is tried round after round until it is there', async () => {
  const registry = await context.registry();
  await registry.kill();
  let pauses = 0;
  const after: Runtime['after'] = (...given) => {
    pauses++;
    return SYSTEM_RUNTIME.after(...given);
  };
  const client = context.client(registry, { runtime: { after } });
  const pending = client.register({ service: 'orders', port: 1, ttlMs: 1_000 });
  let isSettled = false;
  void pending.finally(() => (isSettled = true));
  // Those between the tries of a round count as well.
  await until(() => pauses >= 9);
  expect(isSettled).toBe(false);
  await registry.listen();
  await expect(pending).resolves.toMatchObject({ state: 'held' });
});

test('one of two registries down: registered at the other within the same round', async () => {
  const [down, up] = [await context.registry(), await context.registry()];
  await down.kill();
  const client = context.client([down, up], { runtime: { random: () => 0 } });
  await client.register({ service: 'orders', port: 1 });
  expect(puts(up)).toHaveLength(1);
  context.onEnd(() => down.listen());
});

test.each(['forbidden', 'service_full', 'invalid_request'] as const)(
  'a first registration refused as %s rejects at once',
  async (code) => {
    const registry = await context.registry();
    registry.script = () => code;
    const pending = context.client(registry).register({ service: 'orders', port: 1 });
    await expect(pending).rejects.toMatchObject({ name: 'RollcallError', code, retryable: false });
    expect(registry.seen).toHaveLength(1);
  },
);

test.each(['store_unavailable', 'rate_limited', 'internal_error'] as const)(
  'a first registration refused as %s is tried again',
  async (code) => {
    const registry = await context.registry();
    registry.script = () => (registry.seen.length < 3 ? code : undefined);
    await context.client(registry).register({ service: 'orders', port: 1 });
    expect(puts(registry)).toHaveLength(3);
    const nonces = puts(registry).map(({ body }) => (body as { nonce: string }).nonce);
    expect(new Set(nonces).size).toBe(1);
  },
);

test('an abort ends a first registration at once and takes back what was sent', async () => {
  const registry = await context.registry();
  const given = new AbortController();
  let answer = () => {};
  registry.gate = new Promise<void>((open) => (answer = open));
  const client = context.client(registry);
  const pending = client.register({ service: 'orders', port: 1, signal: given.signal });
  await until(() => puts(registry).length === 1);
  given.abort(new Error('enough'));
  await expect(pending).rejects.toThrow('enough');
  answer();
  await until(() => registry.count('DELETE', INSTANCE) === 1);
  expect(registry.leases.size).toBe(0);
});

test.each([
  ['a port of 70000', { port: 70_000 }, 'ports.http'],
  ['no port', {}, 'ports'],
  ['two kinds of ports', { port: 1, ports: { http: 1 } }, 'ports'],
  ['a bad service name', { port: 1, service: 'Orders' }, 'service'],
  ['a TTL of 5', { port: 1, ttlMs: 5 }, 'ttlMs'],
  ['an unknown option', { port: 1, tll: 5 }, ''],
  ['a nonce of its own', { port: 1, nonce: 'a-nonce-of-its-own' }, ''],
  ['a single signal', { port: 1, signals: 'SIGTERM' as never }, 'signals'],
  ['a signal that is none', { port: 1, signals: ['SIGTREM' as never] }, 'signals'],
])('%s is refused before anything is sent', async (_, given, field) => {
  const registry = await context.registry();
  const pending = context.client(registry).register({ service: 'orders', ...given });
  await expect(pending).rejects.toMatchObject({ code: 'invalid_options', field });
  expect(registry.seen).toHaveLength(0);
});

test('forgotten by the registry: registers again, without takeover, with the same nonce', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const registration = await client.register({ service: 'orders', port: 1, ttlMs: 1_000 });
  const events = eventsOf(registration);
  forget(registry);
  await until(() => events.includes('reregistered'));
  expect(events).toEqual(['lost', 'reregistered']);
  const [first, second] = puts(registry);
  expect(second?.query.get('takeover')).toBe('false');
  expect(second?.body).toEqual({ ...(first?.body as object), sequence: 2 });
  await until(() => registry.openHolds().length === 1);
  expect(registration.state).toBe('held');
});

test('a registry that was killed and has forgotten: back within a heartbeat of its return', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  const registration = await client.register({ service: 'orders', port: 1 });
  const events = eventsOf(registration);
  await until(() => registry.openHolds().length === 1);
  await registry.kill();
  forget(registry);
  await registry.listen();
  const returnedAt = Date.now();
  await until(() => events.includes('reregistered'));
  expect(Date.now() - returnedAt).toBeLessThan(3_333);
});

test('a lost hold is opened again, and a heartbeat goes out at once', async () => {
  const registry = await context.registry();
  await context.client(registry).register({ service: 'orders', port: 1, ttlMs: 60_000 });
  await until(() => registry.openHolds().length === 1);
  expect(registry.count('POST', RENEW)).toBe(0);
  registry.holds[0]!.end();
  await until(() => registry.count('POST', RENEW) === 1);
  await until(() => registry.holds.length === 2);
});

test('a hold told to move is opened elsewhere before the old one ends', async () => {
  const [first, second] = [await context.registry(), await context.registry()];
  const client = context.client([first, second], { runtime: { random: () => 0 } });
  await client.register({ service: 'orders', port: 1, ttlMs: 60_000 });
  await until(() => first.openHolds().length === 1);
  second.leases.set('orders/x', [...first.leases.values()][0]!);
  let openAtSecond = 0;
  second.script = () => {
    openAtSecond = first.openHolds().length;
    return undefined;
  };
  first.holds[0]!.send('move', {});
  await until(() => second.openHolds().length === 1 && first.openHolds().length === 0);
  expect(openAtSecond).toBe(1);
});

test.each(['heartbeat', 'hold'] as const)(
  'superseded, learnt by %s: an event, and nothing more',
  async (by) => {
    const registry = await context.registry();
    const errors: string[] = [];
    const registration = await context.client(registry).register({
      service: 'orders',
      port: 1,
      ttlMs: by === 'hold' ? 60_000 : 1_000,
      onSuperseded: ({ code }) => errors.push(code),
    });
    await until(() => registry.openHolds().length === 1);
    const events = eventsOf(registration);
    registry.superseded.add([...registry.leases.values()][0]!.lease);
    if (by === 'hold') registry.holds[0]!.end();
    await until(() => events.length === 1);
    expect([events, errors, registration.state]).toEqual([
      ['superseded'],
      ['superseded'],
      'superseded',
    ]);
    await until(() => registry.openHolds().length === 0);
    const seen = registry.seen.length;
    await new Promise((done) => setTimeout(done, 600));
    expect(registry.seen).toHaveLength(seen);
    await expect(registration.setStatus('up')).rejects.toMatchObject({ code: 'superseded' });
    await registration.deregister();
    expect(registry.count('DELETE', INSTANCE)).toBe(0);
  },
);

test('forgotten and then taken by another: superseded, not a fight', async () => {
  const registry = await context.registry();
  const registration = await context
    .client(registry)
    .register({ service: 'orders', id: 'a', port: 1, ttlMs: 1_000 });
  const events = eventsOf(registration);
  registry.leases.set('orders/a', { lease: `0.1000.${'f'.repeat(32)}`, nonce: 'somebody-else' });
  await until(() => events.includes('superseded'));
  expect(events).toEqual(['lost', 'superseded']);
  expect(puts(registry)).toHaveLength(2);
});

test('a registry silent for a TTL: lost once, renewing goes on, held again', async () => {
  const registry = await context.registry();
  const registration = await context
    .client(registry)
    .register({ service: 'orders', port: 1, ttlMs: 1_000 });
  const events = eventsOf(registration);
  registry.script = () => 'store_unavailable';
  await until(() => registration.state === 'lost');
  registry.script = () => undefined;
  await until(() => registration.state === 'held');
  expect(events).toEqual(['lost']);
  expect(puts(registry)).toHaveLength(1);
});

test('G1: of two servers one hangs: each lease is renewed at the other before it ends', async () => {
  const registries = [await context.registry(), await context.registry()];
  const client = context.client(registries);
  const registration = await client.register({ service: 'orders', port: 1, ttlMs: 2_000 });
  for (const registry of registries) {
    for (const other of registries) {
      for (const [key, lease] of other.leases) registry.leases.set(key, lease);
    }
  }
  const gaps: number[] = [];
  let lastMs = performance.now();
  registration.on('renewed', () => {
    gaps.push(performance.now() - lastMs);
    lastMs = performance.now();
  });
  // The one that heartbeats go to hangs from now on.
  const asked = () => registries.find(({ seen }) => seen.some(({ path }) => RENEW.test(path)));
  await until(asked);
  gaps.length = 0;
  (asked() as (typeof registries)[number]).answers = false;
  await until(() => gaps.length >= 4, 15_000);
  expect(Math.max(...gaps)).toBeLessThan(2_000);
  expect(registration.state).toBe('held');
});

test('update changes the roll and is kept over a re-registration', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({
    service: 'orders',
    port: 1,
    labels: { a: '1', b: '2' },
    ttlMs: 1_000,
  });
  await registration.update({ weight: 7, labels: { a: null, c: '3' } });
  await registration.setStatus('draining');
  expect(registry.count('PATCH', INSTANCE)).toBe(2);
  const events = eventsOf(registration);
  forget(registry);
  await until(() => events.includes('reregistered'));
  expect(puts(registry)[1]?.body).toMatchObject({
    weight: 7,
    status: 'draining',
    labels: { b: '2', c: '3' },
  });
  await expect(registration.update({})).rejects.toMatchObject({ code: 'invalid_options' });
});

test('an update that finds the lease forgotten comes through by registering again', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({ service: 'orders', port: 1 });
  forget(registry);
  await registration.update({ weight: 7 });
  expect(puts(registry)[1]?.body).toMatchObject({ weight: 7 });
  expect(registration.state).toBe('held');
});

test('an update that is refused is not kept', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({ service: 'orders', port: 1 });
  registry.script = ({ method }) => (method === 'PATCH' ? 'label_forbidden' : undefined);
  const pending = registration.update({ labels: { team: 'x' } });
  await expect(pending).rejects.toMatchObject({ code: 'label_forbidden' });
  forget(registry);
  registry.holds[0]?.end();
  await until(() => puts(registry).length === 2);
  expect(puts(registry)[1]?.body).toMatchObject({ labels: {} });
});

test('drain: status, time to be seen, what is under way, then off the roll, then the hold', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({ service: 'orders', port: 1 });
  await until(() => registry.openHolds().length === 1);
  let holdsAtDelete = -1;
  registry.script = ({ method }) => {
    if (method === 'DELETE') holdsAtDelete = registry.openHolds().length;
    return undefined;
  };
  const steps: string[] = [];
  await registration.drain({
    settleMs: 60_000,
    whenIdle: async () => {
      steps.push(...registry.seen.filter(({ path }) => INSTANCE.test(path)).map((s) => s.method));
    },
  });
  expect(steps).toEqual(['PUT', 'PATCH', 'GET']);
  expect(registry.count('DELETE', INSTANCE)).toBe(1);
  expect(holdsAtDelete).toBe(1);
  expect(registration.state).toBe('released');
  await until(() => registry.openHolds().length === 0);
  await registration.drain();
  await registration.deregister();
  await registration.close();
  expect(registry.count('DELETE', INSTANCE)).toBe(1);
});

test('deregistered while a re-registration is under way: off the roll for good', async () => {
  const registry = await context.registry();
  const registration = await context
    .client(registry)
    .register({ service: 'orders', port: 1, ttlMs: 1_000 });
  let answer = () => {};
  registry.gate = new Promise<void>((open) => (answer = open));
  forget(registry);
  await until(() => puts(registry).length === 2);
  const leaving = registration.deregister();
  answer();
  await leaving;
  expect(registry.leases.size).toBe(0);
  expect(registration.state).toBe('released');
});

test('closing the client takes its instances off the roll and ends every stream; twice does no harm', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  await client.register({ service: 'orders', id: 'a', port: 1 });
  await client.register({ service: 'orders', id: 'b', port: 1 });
  await client.service('orders').ready({ endpoints: 0 });
  await Promise.all([client.close(), client.close()]);
  await client.close();
  expect(registry.leases.size).toBe(0);
  await until(() => registry.openHolds().length + registry.openWatches().length === 0);
  await expect(client.register({ service: 'orders', port: 1 })).rejects.toMatchObject({
    code: 'closed',
  });
  expect(() => client.service('orders')).toThrow('closed');
});

test('closing with the registry gone ends all the same', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  await client.register({ service: 'orders', port: 1 });
  await registry.kill();
  const startedAt = Date.now();
  await client.close();
  expect(Date.now() - startedAt).toBeLessThan(4_000);
});

test('a drain whose whenIdle fails leaves all the same, and says so', async () => {
  const registry = await context.registry();
  for (const whenIdle of [
    () => Promise.reject(new Error('not idle')),
    () => {
      throw new Error('not idle');
    },
  ]) {
    const registration = await context.client(registry).register({ service: 'orders', port: 1 });
    await expect(registration.drain({ settleMs: 0, whenIdle })).rejects.toThrow('not idle');
    expect(registration.state).toBe('released');
    expect(registry.leases.size).toBe(0);
  }
});

test('a refused change beside an accepted one takes nothing along', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({ service: 'orders', port: 1 });
  const isRefused = ({ method, body }: FakeRegistry['seen'][number]) =>
    method === 'PATCH' && 'labels' in (body as object);
  registry.script = (seen) => (isRefused(seen) ? 'forbidden' : undefined);
  await Promise.all([
    expect(registration.update({ labels: { app: 'other' } })).rejects.toThrow('forbidden'),
    registration.setStatus('down'),
    registration.update({ weight: 7 }),
  ]);
  registry.script = () => undefined;
  forget(registry);
  const { length } = puts(registry);
  await registration.update({ weight: 8 });
  await until(() => puts(registry).length === length + 1);
  expect(puts(registry).at(-1)?.body).toMatchObject({ status: 'down', weight: 8, labels: {} });
});

test('a change that no registry answered is not brought later', async () => {
  const registry = await context.registry();
  const client = context.client(registry, { requestTimeoutMs: 100 });
  const registration = await client.register({ service: 'orders', port: 1 });
  registry.answers = false;
  await expect(registration.setStatus('down')).rejects.toMatchObject({
    code: 'registry_unreachable',
  });
  registry.answers = true;
  forget(registry);
  const { length } = puts(registry);
  await registration.update({ weight: 8 });
  await until(() => puts(registry).length === length + 1);
  expect(puts(registry).at(-1)?.body).toMatchObject({ status: 'up', weight: 8 });
});

test('whoever drains comes back as draining, if at all', async () => {
  const registry = await context.registry();
  const registration = await context.client(registry).register({ service: 'orders', port: 1 });
  registry.script = ({ method }) => (method === 'PATCH' ? 'forbidden' : undefined);
  const idle = Promise.withResolvers<void>();
  const draining = registration.drain({ settleMs: 0, whenIdle: () => idle.promise });
  await until(() => registry.count('PATCH', INSTANCE) === 1);
  registry.script = () => undefined;
  forget(registry);
  const { length } = puts(registry);
  await registration.update({ weight: 8 });
  expect(puts(registry)).toHaveLength(length + 1);
  expect(puts(registry).at(-1)?.body).toMatchObject({ status: 'draining' });
  idle.resolve();
  await draining;
});
