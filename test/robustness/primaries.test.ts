import { afterEach, describe, expect, test } from 'vitest';
import type { Service } from '@rollcall/client-sdk';
import {
  findRedisBinary,
  RedisPair,
  type RedisPairOptions,
  shiftedClock,
  until,
} from '@rollcall/testkit';
import { Scene } from '../support/scene.ts';

const TTL_MS = 2_000;
const NAMES = ['a', 'b', 'c'];
const HOUR_S = 3_600;

let scene: Scene;
afterEach(() => scene.close());

/** A server on each way to a pair of Redis servers, and three instances. */
async function begin(
  options: RedisPairOptions = {},
  names: readonly string[] = NAMES,
  ttlMs = TTL_MS,
) {
  scene = new Scene({ ttlMs });
  const binary = await findRedisBinary();
  if (binary === undefined) throw new Error('no redis-server on this machine');
  const pair = await RedisPair.start(binary, { ways: 2, ...options });
  scene.onClose(() => pair.close());
  const start = (way: number) => scene.stack.registry(['--store', pair.url(way)]);
  const urls = (await Promise.all([start(0), start(1)])).map(({ url }) => url);
  const actors = await scene.actors(names, { urls });
  const service = await scene.watch('sdk', urls);
  for (const [i, url] of urls.entries()) scene.rawWatch(`stream${i}`, [url]);
  const calls = scene.call('sdk', service, { concurrency: 2 });
  await calls.answers(20);
  await scene.inUse(service, names);
  await pair.inStep();
  return { pair, urls, service, actors };
}

async function areWritable(urls: readonly string[]): Promise<void> {
  const look = (url: string) => fetch(`${url}/readyz?for=writes`);
  await until(async () => (await Promise.all(urls.map(look))).every(({ ok }) => ok), {
    withinMs: 20_000,
  });
}

async function ends(title: string, service: Service, names: readonly string[] = NAMES) {
  await scene.inUse(service, names);
  await scene.quiet();
  expect(
    service
      .endpoints()
      .map(({ instance }) => instance)
      .toSorted(),
  ).toEqual(names.toSorted());
  const { figures } = await scene.verdict(title);
  expect(figures.falseEvictions).toBe(0);
  // Of who leaves while nobody can be told of it everywhere, a request that must not be repeated may fail.
  expect(figures.requestsFailed - figures.unrepeatableFailed).toBe(0);
  expect(figures.convergeMs).toHaveLength(1);
}

describe('G5: a failover', () => {
  test('that loses a registration and a deregistration: who came is there, who left stays away', async () => {
    const { pair, urls, service } = await begin();
    const leaver = await scene.actor('leaver', { urls });
    await scene.inUse(service, [...NAMES, 'leaver']);
    await pair.inStep();
    await pair.part();
    await leaver.leave();
    await scene.actor('late', { urls });
    await scene.inUse(service, [...NAMES, 'late']);
    const heal = scene.fault('failover', 'store');
    pair.failOver();
    await areWritable(urls);
    heal();
    await ends('failover that lost writes', service, [...NAMES, 'late']);
  }, 60_000);

  test.each([
    ['ahead', HOUR_S],
    ['behind', -HOUR_S],
  ])(
    'to a primary whose clock is an hour %s: nobody is evicted, revisions go on rising, the silent are found out',
    async (title, shiftS) => {
      const replicaEnv = await shiftedClock(shiftS);
      if (replicaEnv === undefined) throw new Error('a C compiler (cc) is needed to shift a clock');
      const { pair, urls, service, actors } = await begin({ replicaEnv });
      const heal = scene.fault('failover', 'store');
      await pair.part();
      pair.failOver();
      await areWritable(urls);
      heal();
      await ends(`failover to a clock an hour ${title}`, service);
      // One that comes is seen by all, above what they had seen before; one that falls silent is found out.
      await scene.actor('late', { urls });
      await scene.inUse(service, [...NAMES, 'late']);
      actors[0]?.stop();
      await scene.inUse(service, ['b', 'c', 'late'], 3 * TTL_MS + 1_000);
      await scene.verdict(`after a failover to a clock an hour ${title}`);
    },
    60_000,
  );
});

describe('G5, G6: two primaries', () => {
  // Six, so that the guard watches over them where all their heartbeats go to the other side.
  const SIX = [...NAMES, 'd', 'e', 'f'];

  async function split({ pair, urls }: Awaited<ReturnType<typeof begin>>): Promise<void> {
    const [, second] = pair.ways;
    if (second === undefined) throw new Error('no second way');
    await pair.part();
    pair.point(second, pair.replica);
    await areWritable(urls);
  }

  test('for less than a lease: nobody is missing, and who left on either side stays away', async () => {
    const begun = await begin({}, SIX, 10_000);
    const { pair, urls, service } = begun;
    const leavers = await Promise.all(
      urls.map((url, i) => scene.actor(`left${i}`, { urls: [url] })),
    );
    await scene.inUse(service, [...SIX, 'left0', 'left1']);
    await pair.inStep();
    const heal = scene.fault('two primaries', 'store');
    await split(begun);
    await Promise.all(leavers.map((leaver) => leaver.leave()));
    pair.failOver();
    await areWritable(urls);
    heal();
    await ends('two primaries for a moment', service, SIX);
  }, 60_000);

  test('for longer than a lease: no service is empty, and all are back within a heartbeat', async () => {
    const begun = await begin({}, SIX);
    const { pair, urls, service } = begun;
    // A side that gets no heartbeats of an instance for longer than its lease cannot know better.
    const heal = scene.fault('two primaries', 'store', ...SIX);
    await split(begun);
    const beganMs = performance.now();
    await until(() => performance.now() - beganMs > 2 * TTL_MS);
    pair.failOver();
    await areWritable(urls);
    heal();
    await ends('two primaries', service, SIX);
    const pictures = scene.history.events.filter((one) => one.kind === 'seen');
    expect(Math.min(...pictures.map(({ endpoints }) => endpoints.length))).toBeGreaterThan(0);
  }, 60_000);
});
