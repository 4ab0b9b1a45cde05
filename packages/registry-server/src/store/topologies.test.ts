import { findRedisBinary, RedisCluster, RedisSentinel } from '@rollcall/testkit';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe } from 'vitest';
import { storeConformance } from '../testing/store-conformance.ts';
import { redisHarness } from '../testing/store-harness.ts';
import { connectRedis, type RedisConnections } from './redis/connect.ts';

const binary = await findRedisBinary();

/** The same cases as on one Redis, over a topology that is started for them. */
function conformanceOver(
  name: string,
  start: () => Promise<{ readonly url: string; close(): Promise<void> }>,
): void {
  describe.skipIf(binary === undefined)(`over ${name}`, () => {
    let topology: { readonly url: string; close(): Promise<void> };
    const opened: RedisConnections[] = [];
    beforeAll(async () => {
      topology = await start();
    }, 60_000);
    afterAll(async () => {
      for (const { redis, reader } of opened) {
        redis.disconnect();
        reader.disconnect();
      }
      await topology.close();
    });
    const connect = async (): Promise<Redis> => {
      const connections = connectRedis(topology.url, () => {});
      opened.push(connections);
      connections.reader.disconnect();
      const { redis } = connections;
      if (redis.status !== 'ready') {
        await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
      }
      return redis;
    };
    storeConformance(name, redisHarness(connect));
  });
}

conformanceOver('a primary that Sentinels name', async () => {
  const sentinel = await RedisSentinel.start(binary as NonNullable<typeof binary>);
  const url = `redis-sentinel://${sentinel.hosts}/${sentinel.master}`;
  return { url, close: () => sentinel.close() };
});

conformanceOver('a Redis Cluster of three primaries', async () => {
  const cluster = await RedisCluster.start(binary as NonNullable<typeof binary>);
  return { url: `redis-cluster://${cluster.hosts}`, close: () => cluster.close() };
});
