import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '@rollcall/client-sdk';
import { ChaosProxy, findRedisBinary, RedisProcess, until } from '@rollcall/testkit';
import type { SceneCaller } from '../support/caller.ts';
import { Scene } from '../support/scene.ts';

const TTL_MS = 2_000;
const NAMES = ['a', 'b', 'c'];

let scene: Scene;
let redis: RedisProcess;
let proxy: ChaosProxy;
let urls: readonly string[];
let service: Service;
let calls: SceneCaller;
let faults = 0;

// One system for all: two servers on a Redis behind a proxy, three instances, watchers and a caller.
beforeAll(async () => {
  scene = new Scene({ ttlMs: TTL_MS });
  const binary = await findRedisBinary();
  if (binary === undefined) throw new Error('no redis-server on this machine');
  const args = ['--busy-reply-threshold', '100'];
  redis = await RedisProcess.start(binary, { isDurable: true, args });
  scene.onClose(() => redis.close());
  proxy = await ChaosProxy.start(redis.port);
  scene.onClose(() => proxy.close());
  const flags = ['--store', `redis://127.0.0.1:${proxy.port}`];
  const servers = await Promise.all([1, 2].map(() => scene.stack.registry(flags)));
  urls = servers.map(({ url }) => url);
  await scene.actors(NAMES, { urls });
  service = await scene.watch('sdk', urls);
  for (const [i, url] of urls.entries()) scene.rawWatch(`stream${i}`, [url]);
  calls = scene.call('sdk', service, { concurrency: 2 });
  await calls.answers(20);
}, 180_000);
afterAll(() => scene.close());

const isWritable = async (url: string) => (await fetch(`${url}/readyz?for=writes`)).ok;
const storeAgeMs = async (url: string) =>
  ((await (await fetch(`${url}/readyz`)).json()) as { storeAgeMs: number }).storeAgeMs;

async function areWritable(): Promise<void> {
  await until(async () => (await Promise.all(urls.map(isWritable))).every(Boolean), {
    withinMs: 20_000,
    what: 'servers that take writes',
  });
}

/** By the age that every server itself shows. */
async function outlasts(ms: number): Promise<void> {
  const isOld = async () => {
    const ages = await Promise.all(urls.map(storeAgeMs));
    return ages.every((age) => age > ms);
  };
  await until(isOld, { withinMs: ms + 20_000, what: `a store away for ${ms} ms` });
}

/** Breaks the store as told, and then wants everything as it was, and the history without a fault. */
async function survives(name: string, breakIt: () => Promise<unknown>): Promise<void> {
  const heal = scene.fault(name, 'store');
  await breakIt();
  heal();
  faults++;
  await areWritable();
  await scene.inUse(service, NAMES);
  await scene.quiet();
  await calls.answers(20);
  const { figures } = await scene.verdict(name);
  expect(figures.falseEvictions).toBe(0);
  expect(figures.requestsFailed).toBe(0);
  // Each was judged.
  expect(figures.convergeMs).toHaveLength(faults);
}

const passed = async (ms: number) => {
  const beganMs = performance.now();
  await until(() => performance.now() - beganMs > ms, { withinMs: ms * 2 });
};

describe('G4, G5: nobody is missing, and all are in use within a heartbeat', () => {
  test('after FLUSHALL', () => survives('FLUSHALL', () => redis.command('FLUSHALL')), 60_000);

  test.each([false, true])(
    'after Redis was killed for longer than every lease, and came back; without its data: %s',
    (losesData) =>
      survives(`Redis killed, without data: ${losesData}`, async () => {
        await redis.down({ losesData });
        await outlasts(TTL_MS * 1.5);
        await redis.up();
        await areWritable();
      }),
    60_000,
  );

  // About as long as a lease, so that no sweep was missed for long, and much longer.
  test.each([2_500, 7_000])(
    'after Redis hung for %d ms',
    (ms) =>
      survives(`Redis hung for ${ms} ms`, async () => {
        redis.signal('SIGSTOP');
        await outlasts(ms);
        redis.signal('SIGCONT');
      }),
    60_000,
  );

  test(
    'after Redis was busy with a script (BUSY) for longer than every lease',
    () =>
      survives('Redis busy', async () => {
        const script = redis.command('EVAL', 'while true do end', '0').catch(() => {});
        await outlasts(TTL_MS * 1.5);
        await redis.command('SCRIPT', 'KILL');
        await script;
      }),
    60_000,
  );

  test(
    'after Redis refused writes for want of memory (OOM) for longer than every lease',
    () =>
      survives('Redis full', async () => {
        await redis.command('CONFIG', 'SET', 'maxmemory', '1');
        await passed(TTL_MS * 2);
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }),
    60_000,
  );

  test(
    'after Redis refused writes for want of rights for longer than every lease',
    () =>
      survives('Redis without rights', async () => {
        await redis.command('ACL', 'SETUSER', 'default', '-@write');
        await passed(TTL_MS * 2);
        await redis.command('ACL', 'SETUSER', 'default', '+@all');
      }),
    60_000,
  );

  test(
    'after Redis was 2,000 ms away for longer than every lease',
    () =>
      survives('Redis 2,000 ms away', async () => {
        proxy.set({ delayMs: 1_000 });
        await passed(TTL_MS * 3);
        proxy.heal();
      }),
    60_000,
  );

  test('after FLUSHALL while one leaves, who stays away', async () => {
    const late = await scene.actor('late', { urls });
    await scene.inUse(service, [...NAMES, 'late']);
    await survives('FLUSHALL and a leave', async () => {
      await redis.command('FLUSHALL');
      await late.leave();
      await until(() => service.endpoints().length === NAMES.length);
    });
  }, 60_000);
});
