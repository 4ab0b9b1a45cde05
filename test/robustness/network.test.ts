import { afterEach, expect, test } from 'vitest';
import { ChaosProxy, freePort, until } from '@rollcall/testkit';
import { monotonicMs } from '../support/monotonic.ts';
import { Scene } from '../support/scene.ts';

const TTL_MS = 3_000;
const NAMES = ['a', 'b', 'c'];
/** Above the time between two pings of a stream, in ms. */
const SILENCE_MS = 5_500;

let scene: Scene;
afterEach(() => scene.close());

async function proxyOf(port: number): Promise<ChaosProxy> {
  const proxy = await ChaosProxy.start(port);
  scene.onClose(() => proxy.close());
  return proxy;
}

const urlOf = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;
const usedBy = (tiers: readonly (0 | 1 | null)[], tier: 0 | 1) =>
  tiers.filter((one) => one === tier).length;

test('G1, G4: a proxy between instances and registry restarts: all are suspect at once, nobody is evicted, all are back within a heartbeat', async () => {
  scene = new Scene({ ttlMs: TTL_MS });
  const { url, port } = await scene.stack.registry();
  const proxy = await proxyOf(port);
  await scene.actors(NAMES, { urls: [urlOf(proxy)] });
  const service = await scene.watch('sdk', [url]);
  scene.rawWatch('stream', [url]);
  const calls = scene.call('sdk', service);
  await calls.answers(50);
  for (let round = 0; round < 3; round++) {
    // Nothing that anybody may notice.
    const heal = scene.fault(`proxy restart ${round}`);
    proxy.set({ connects: 'reset' });
    proxy.cut();
    const tiers = () => service.endpoints().map(({ tier }) => tier);
    await until(() => usedBy(tiers(), 1) === NAMES.length, { what: 'everybody suspect' });
    proxy.heal();
    heal();
    await scene.inUse(service, NAMES, TTL_MS / 3 + 1_000);
    await scene.quiet();
  }
  const { figures } = await scene.verdict('proxy restarts');
  expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
  expect(figures.convergeMs).toHaveLength(3);
}, 180_000);

test('G1, G8: a client cut off from an instance, which the registry reaches: others answer, nobody is evicted', async () => {
  scene = new Scene({ ttlMs: TTL_MS });
  const { url } = await scene.stack.registry();
  const port = await freePort();
  const proxy = await proxyOf(port);
  const env = { WORKER_PORT: `${port}`, WORKER_SEEN_PORT: `${proxy.port}` };
  await scene.actor('a', { urls: [url], env });
  await scene.actors(['b', 'c'], { urls: [url] });
  const service = await scene.watch('sdk', [url]);
  // What is under way when a connection is cut may have been done: a call that must not be repeated fails.
  const calls = scene.call('sdk', service, { postEvery: 0 });
  await calls.answers(50);
  const answeredByA = () =>
    scene.history.events.findLast((one) => one.kind === 'request' && one.answeredBy === 'a');
  await until(answeredByA);
  proxy.set({ connects: 'reset' });
  proxy.cut();
  const cutAtMs = monotonicMs();
  // What was asked before may still be answered: it is on its way.
  const askedSince = () => {
    const last = answeredByA();
    return last?.kind === 'request' && last.invokedMs > cutAtMs;
  };
  await calls.answers(300);
  expect(askedSince()).toBe(false);
  await scene.inUse(service, NAMES, 1_000);
  proxy.heal();
  await until(askedSince, { what: 'an answer of the instance again' });
  const { figures } = await scene.verdict('client cut from an instance');
  expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
}, 180_000);

test('G4, G8: a client cut off from the registry, and not from instances: it calls on, past one that dies, and learns of it when it is back', async () => {
  scene = new Scene({ ttlMs: TTL_MS });
  const { url, port } = await scene.stack.registry();
  const proxy = await proxyOf(port);
  const actors = await scene.actors(NAMES, { urls: [url] });
  const service = await scene.watch('picture', [urlOf(proxy)]);
  // Each asks what the other holds up: a death that only a failed connect tells of.
  const calls = scene.call('calls', service, { postEvery: 0 });
  await calls.answers(50);
  const heal = scene.fault('client cut from the registry', 'picture');
  proxy.set({ lost: ['up', 'down'], connects: 'silent' });
  actors[0]?.kill();
  await calls.answers(300);
  await until(() => service.ageMs() > 5_000);
  await scene.actor('d', { urls: [url] });
  expect(service.endpoints()).toHaveLength(NAMES.length);
  proxy.heal();
  heal();
  await scene.inUse(service, ['b', 'c', 'd'], 5_000);
  await scene.quiet();
  const { figures } = await scene.verdict('client cut from the registry');
  expect(figures.requestsFailed).toBe(0);
}, 180_000);

test('G2, G4: an instance cut off from the registry, and not from clients, is gone within its TTL and a second, and back within a heartbeat', async () => {
  scene = new Scene({ ttlMs: TTL_MS });
  const { url, port } = await scene.stack.registry();
  const proxy = await proxyOf(port);
  await scene.actor('a', { urls: [urlOf(proxy)] });
  await scene.actors(['b', 'c'], { urls: [url] });
  const service = await scene.watch('sdk', [url]);
  const calls = scene.call('sdk', service);
  await calls.answers(50);
  const heal = scene.fault('instance cut from the registry', 'a');
  const beganMs = performance.now();
  proxy.set({ lost: ['up', 'down'], connects: 'silent' });
  await until(() => service.endpoints().length === 2);
  const goneMs = performance.now() - beganMs;
  proxy.heal();
  heal();
  await scene.inUse(service, NAMES, TTL_MS / 3 + 1_000);
  await scene.quiet();
  const { figures } = await scene.verdict(`instance cut off, gone after ${goneMs.toFixed(0)} ms`);
  expect(goneMs).toBeLessThan(TTL_MS + 1_000);
  expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
}, 180_000);

test.each([['down'], ['up']] as const)(
  'G1, G3, G4: half-open connections to one of two servers (bytes %s are lost): the other is found, nobody is evicted, nothing is missed',
  async (way) => {
    scene = new Scene({ ttlMs: TTL_MS, lagMs: SILENCE_MS + 3_000 });
    const { url, port } = await scene.stack.registry();
    const proxy = await proxyOf(port);
    // The same server by two ways, one of which will be half open.
    const urls = [urlOf(proxy), url];
    await scene.actors(NAMES, { urls });
    const service = await scene.watch('sdk', urls, { silenceMs: SILENCE_MS });
    const calls = scene.call('sdk', service);
    await calls.answers(50);
    const heal = scene.fault('half open');
    proxy.set({ lost: [way] });
    await scene.actor('d', { urls: [url] });
    await scene.inUse(service, [...NAMES, 'd'], SILENCE_MS + 3_000);
    const beganMs = performance.now();
    await until(() => performance.now() - beganMs > TTL_MS * 1.5);
    // The late end of holds that have long moved.
    proxy.heal();
    heal();
    await calls.answers(50);
    await scene.inUse(service, [...NAMES, 'd'], TTL_MS / 3 + 1_000);
    const { figures } = await scene.verdict(`half open, bytes ${way} lost`);
    expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
  },
  60_000,
);
