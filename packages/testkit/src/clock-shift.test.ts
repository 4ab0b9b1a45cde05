import { expect, test } from 'vitest';
import { shiftedClock } from './clock-shift.ts';
import { TestProcess } from './process.ts';
import { RedisProcess } from './redis-process.ts';
import { findRedisBinary } from './redis.ts';

const HOUR_S = 3_600;

test('a program sees another time of day, and no other passing of time', async ({ skip }) => {
  const env = await shiftedClock(-HOUR_S);
  if (env === undefined) return skip('no C compiler here');
  const code = 'console.log(Date.now(), process.hrtime.bigint() / 1000000n)';
  const child = new TestProcess(process.execPath, ['-e', code], { env });
  const [, wall, monotonic] = await child.printed(/(\d+) (\d+)n?/);
  expect(Math.abs(Number(wall) - Date.now() + HOUR_S * 1_000)).toBeLessThan(60_000);
  const nowMs = Number(process.hrtime.bigint() / 1_000_000n);
  expect(Math.abs(Number(monotonic) - nowMs)).toBeLessThan(60_000);
  return undefined;
});

test('Redis does', async ({ skip }) => {
  const [env, binary] = [await shiftedClock(HOUR_S), await findRedisBinary()];
  if (env === undefined || binary === undefined) return skip('no C compiler, or no Redis here');
  const redis = await RedisProcess.start(binary, { env });
  try {
    const seconds = Number((await redis.command('TIME')).split('\r\n')[2]);
    expect(Math.abs(seconds - Date.now() / 1_000 - HOUR_S)).toBeLessThan(60);
  } finally {
    await redis.close();
  }
  return undefined;
});
