import { expect, test } from 'vitest';
import { QueryLimit } from './query-limit.ts';

test('an address may ask so often in a second, this machine as often as it likes', () => {
  const limit = new QueryLimit(2);
  const admitted = () => [1, 2, 3].map(() => limit.admit('192.0.2.1'));
  expect(admitted()).toEqual([true, true, false]);
  expect(limit.admit('192.0.2.2')).toBe(true);
  for (const own of ['127.0.0.1', '127.0.0.1', '127.0.0.1', '::1', '::1', '::1'])
    expect(limit.admit(own)).toBe(true);
  limit.nextSecond();
  expect(admitted()).toEqual([true, true, false]);
});

test('0 is no limit', () => {
  const limit = new QueryLimit(0);
  expect([1, 2, 3].every(() => limit.admit('192.0.2.1'))).toBe(true);
});
