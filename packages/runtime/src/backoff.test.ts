import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('pauses grow up to the cap, each drawn from the upper half of its span', () => {
  const low = new Backoff(() => 0, 100, 1_000);
  expect(Array.from({ length: 6 }, () => low.nextDelayMs())).toEqual([50, 100, 200, 400, 500, 500]);
  const high = new Backoff(() => 1, 100, 1_000);
  expect(Array.from({ length: 6 }, () => high.nextDelayMs())).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
});

test('G7: what a server asks for is kept, beyond the cap too, and up to a quarter more is drawn', () => {
  expect(new Backoff(() => 0, 100, 1_000).nextDelayMs(9_000)).toBe(9_000);
  expect(new Backoff(() => 1, 100, 1_000).nextDelayMs(9_000)).toBe(11_250);
  expect(new Backoff(() => 0, 100, 1_000).nextDelayMs(600_000)).toBe(30_000);
});
