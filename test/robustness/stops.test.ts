import { afterEach, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { monotonicMs } from '../support/monotonic.ts';
import { Scene } from '../support/scene.ts';

const TTL_MS = 2_000;
const NAMES = ['a', 'b', 'c'];

let scene: Scene;
afterEach(() => scene.close());

async function begin() {
  scene = new Scene({ ttlMs: TTL_MS });
  const { url } = await scene.stack.registry();
  const actors = await scene.actors(NAMES, { urls: [url] });
  const [stale] = actors;
  if (stale === undefined) throw new Error('no actor');
  const service = await scene.watch('sdk', [url]);
  scene.pick('picker', await scene.watch('picker', [url]));
  // Many at a time: those that went to the stopped one wait until it goes on.
  const calls = scene.call('sdk', service, { concurrency: 24 });
  await calls.answers(50);
  return { url, stale, service, calls };
}

test('G2: an instance stopped (SIGSTOP) without a word is chosen for its TTL and a second at most; continued, it is back within a heartbeat', async () => {
  const { stale, service, calls } = await begin();
  stale.stop();
  const stoppedMs = monotonicMs();
  await until(() => service.endpoints().length === 2, { withinMs: TTL_MS + 1_000 });
  const goneMs = monotonicMs() - stoppedMs;
  expect(goneMs).toBeGreaterThan(TTL_MS / 2);
  await until(() => monotonicMs() - stoppedMs > 2 * TTL_MS);
  stale.continue();
  const back = scene.fault('the return of the stopped');
  back();
  await scene.inUse(service, NAMES, TTL_MS / 3 + 1_000);
  await calls.answers(100);
  await scene.quiet();
  const { figures } = await scene.verdict(`silent host gone after ${goneMs.toFixed(0)} ms`);
  expect(figures.requestsFailed).toBe(0);
}, 180_000);

test('G6: a process stopped for two TTL finds a successor under its id and gives up; the successor keeps the place', async () => {
  const { url, stale, service, calls } = await begin();
  const portOf = () => service.endpoints().find(({ instance }) => instance === 'a')?.port;
  const before = portOf();
  stale.stop();
  const stoppedMs = monotonicMs();
  await scene.actor('a', { urls: [url] });
  await until(() => portOf() !== before);
  const port = portOf();
  await until(() => monotonicMs() - stoppedMs > 2 * TTL_MS);
  stale.continue();
  // It says so itself, and ends.
  await until(() => stale.process.hasExited, { withinMs: TTL_MS + 1_000 });
  expect(stale.process.child.exitCode).toBe(3);
  await calls.answers(100);
  await scene.inUse(service, NAMES, 1_000);
  expect(portOf()).toBe(port);
  await scene.verdict('a stale process');
}, 180_000);
