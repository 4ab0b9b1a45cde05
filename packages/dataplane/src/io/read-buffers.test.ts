import { expect, test } from 'vitest';
import { lendBytes, ReadBuffers } from './read-buffers.ts';

test('a buffer is used by one connection after another', () => {
  const buffers = new ReadBuffers(64);
  const first = buffers.take();
  expect(first).toHaveLength(64);
  expect(buffers.take()).not.toBe(first);
  buffers.giveBack(first);
  expect(buffers.take()).toBe(first);
});

test('one from which a write may still be sending is not used again', () => {
  const buffers = new ReadBuffers(64);
  const first = buffers.take();
  lendBytes(first.subarray(10, 20));
  buffers.giveBack(first);
  expect(buffers.take()).not.toBe(first);
});

test('other buffers, and more than a burst needs, are left to the collector', () => {
  const buffers = new ReadBuffers(64);
  const large = Buffer.allocUnsafeSlow(128);
  buffers.giveBack(large);
  expect(buffers.take()).not.toBe(large);
  const many = Array.from({ length: 600 }, () => buffers.take());
  for (const buffer of many) buffers.giveBack(buffer);
  const again = new Set(Array.from({ length: 600 }, () => buffers.take()));
  expect(many.filter((buffer) => again.has(buffer))).toHaveLength(512);
});
