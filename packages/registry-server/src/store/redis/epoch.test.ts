import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { keysOf } from './keys.ts';
import { RedisStore } from './redis-store.ts';

test('an epoch is drawn where the store is empty, once, and by no other call', async () => {
  const [redis, reader] = [new Redis(inject('redisUrl')), new Redis(inject('redisUrl'))];
  const keys = keysOf(0, `epoch-${process.pid}`);
  const wipe = () => redis.del(...(Object.values(keys) as string[]));
  let drawn = 0;
  const makeEpoch = () => `epoch-${++drawn}`;
  const store = new RedisStore({ redis, reader, keys, makeEpoch, logLength: 100 });
  onTestFinished(async () => {
    await wipe();
    await store.close();
  });
  await store.expire({ floor: 0 });
  const { epoch } = (await store.snapshot()).head;
  await Promise.all(Array.from({ length: 20 }, () => store.renew(['0.1000.a'], { floor: 0 })));
  await store.remove({ key: 'none', floor: 0 });
  expect([epoch, drawn]).toEqual(['epoch-1', 1]);
  await wipe();
  // All find the store without an epoch at once: the first one that is written stays.
  await Promise.all(Array.from({ length: 5 }, () => store.expire({ floor: 0 })));
  const before = drawn;
  await store.expire({ floor: 0 });
  expect((await store.snapshot()).head.epoch).toMatch(/^epoch-[2-6]$/);
  expect(drawn).toBe(before);
});
