import { expect, test } from 'vitest';
import { findRedisBinary, startRedis } from './redis.ts';
import { RedisProcess } from './redis-process.ts';

test('says what to install when nothing is there', async () => {
  await expect(startRedis({ env: { PATH: '/nonexistent', TEST_REDIS: 'local' } })).rejects.toThrow(
    /apt-get install redis-server/,
  );
});

test.skipIf(process.env['TEST_REDIS'] === 'docker')(
  'a server comes back on the same port',
  async () => {
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    const redis = await RedisProcess.start(binary);
    const { url } = redis;
    await redis.down();
    await redis.up();
    expect(redis.url).toBe(url);
    await redis.close();
  },
);
