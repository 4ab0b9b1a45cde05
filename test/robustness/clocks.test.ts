import { afterEach, expect, test } from 'vitest';
import { findRedisBinary, RedisProcess, shiftedClock, until } from '@rollcall/testkit';
import { Scene } from '../support/scene.ts';

const TTL_MS = 3_000;
const HOUR_S = 3_600;

let scene: Scene;
afterEach(() => scene.close());

test('G1, G2, G3: clocks an hour off on registry servers, instances and clients, each another way: leases last and end as if they were right', async () => {
  const [ahead, behind] = [await shiftedClock(HOUR_S), await shiftedClock(-HOUR_S)];
  const binary = await findRedisBinary();
  if (ahead === undefined || behind === undefined || binary === undefined)
    throw new Error('a C compiler (cc) and a redis-server are needed');
  scene = new Scene({ ttlMs: TTL_MS });
  const redis = await RedisProcess.start(binary);
  scene.onClose(() => redis.close());
  const flags = ['--store', redis.url];
  const servers = await Promise.all([
    scene.stack.registry(flags, undefined, ahead),
    scene.stack.registry(flags, undefined, behind),
  ]);
  const urls = servers.map(({ url }) => url);
  const actors = await Promise.all([
    scene.actor('right', { urls }),
    scene.actor('ahead', { urls, env: ahead }),
    scene.actor('behind', { urls, env: behind }),
    scene.actor('victim', { urls, env: ahead }),
    scene.actor('silent', { urls, env: behind }),
  ]);
  // This process is the client: its clock is right, those of the servers are not, in either direction.
  const service = await scene.watch('sdk', urls);
  for (const [i, url] of urls.entries()) scene.rawWatch(`stream${i}`, [url]);
  scene.pick('picker', await scene.watch('picker', urls));
  const balancer = await scene.stack.balancer(urls, { service: 'work' });
  const calls = scene.call('sdk', service, { concurrency: 24 });
  const balanced = scene.callUrls('lb', [balancer.url], { postEvery: 0 });
  await Promise.all([calls.answers(100), balanced.answers(50)]);
  const began = performance.now();
  await until(() => performance.now() - began > 2 * TTL_MS);
  await scene.inUse(service, ['right', 'ahead', 'behind', 'victim', 'silent'], 100);
  actors[3]?.kill();
  await until(() => service.endpoints().length === 4);
  actors[4]?.stop();
  await until(() => service.endpoints().length === 3, { withinMs: TTL_MS + 1_500 });
  const { figures } = await scene.verdict('clocks an hour off');
  expect(figures.falseEvictions).toBe(0);
  expect(figures.requestsFailed).toBe(figures.unrepeatableFailed);
}, 180_000);
