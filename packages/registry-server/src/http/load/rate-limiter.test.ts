import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { ByCaller } from './by-caller.ts';
import { RateLimiter, RetryAfterQueue } from './rate-limiter.ts';

test('lets in so many a second, and a second’s worth at once', () => {
  const clock = new ManualClock();
  let refused = 0;
  const pace = new RateLimiter(clock, 100, () => refused++);
  const takeAll = (count: number) =>
    Array.from({ length: count }, () => pace.take()).filter((after) => after === undefined).length;
  expect(takeAll(150)).toBe(100);
  expect(refused).toBe(50);
  clock.advance(500);
  expect(takeAll(150)).toBe(50);
  clock.advance(60_000);
  expect(takeAll(150)).toBe(100);
});

test('what costs more is let in, and those after it wait for it', () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(clock, 10, () => {});
  expect(pace.take(25)).toBeUndefined();
  expect(pace.take()).toBe(1);
  clock.advance(1_500);
  expect(pace.take()).toBe(1);
  clock.advance(200);
  expect(pace.take()).toBeUndefined();
});

test('G7: ten thousand who come at once are let in with one refusal each, at the rate and no faster', () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(clock, 1_000, () => {});
  const due = Array.from({ length: 10_000 }, (_, i) => ({
    atMs: 0,
    tries: 0,
    draw: (i % 97) / 97,
  }));
  let waiting = due;
  let lastMs = 0;
  for (let nowMs = 0; waiting.length > 0 && nowMs < 60_000; nowMs += 50) {
    for (const client of waiting) {
      if (client.atMs > nowMs) continue;
      client.tries++;
      const afterS = pace.take();
      // As the SDK waits: what was asked, and up to a quarter more.
      client.atMs =
        afterS === undefined ? Infinity : nowMs + afterS * 1_000 * (1 + client.draw / 4);
      lastMs = nowMs;
    }
    waiting = waiting.filter(({ atMs }) => atMs !== Infinity);
    clock.advance(50);
  }
  const tries = due.reduce((sum, client) => sum + client.tries, 0);
  expect(waiting).toEqual([]);
  expect(lastMs).toBeLessThan(15_000);
  expect(tries / due.length).toBeLessThan(2.5);
  expect(Math.max(...due.map((client) => client.tries))).toBeLessThan(8);
});

test('nobody is sent away for longer than half a minute', () => {
  const queue = new RetryAfterQueue(new ManualClock(), 1);
  const places = Array.from({ length: 100 }, () => queue.takePlace());
  expect(places.slice(0, 3)).toEqual([1, 2, 3]);
  expect(Math.max(...places)).toBe(30);
});

test('however often somebody tried in vain, half a minute later there is no line', () => {
  const clock = new ManualClock();
  const queue = new RetryAfterQueue(clock, 10);
  for (let i = 0; i < 100_000; i++) queue.takePlace();
  expect(queue.isIdle).toBe(false);
  clock.advance(30_000);
  expect(queue.isIdle).toBe(true);
  expect(queue.takePlace()).toBe(1);
});

test('callers have each their own, and those of no use are forgotten', () => {
  const clock = new ManualClock();
  let made = 0;
  const paces = new ByCaller(() => {
    made++;
    return new RateLimiter(clock, 1, () => {});
  });
  expect(paces.getOrCreate('a').take()).toBeUndefined();
  expect(paces.getOrCreate('a').take()).toBe(1);
  expect(paces.getOrCreate('b').take()).toBeUndefined();
  for (let i = 0; i < 3_000; i++) paces.getOrCreate(`idle-${i}`);
  expect(paces.getOrCreate('a').take()).toBe(2);
  expect(made).toBe(3_002);
  clock.advance(60_000);
  for (let i = 0; i < 3_000; i++) paces.getOrCreate(`other-${i}`);
  paces.getOrCreate('a');
  expect(made).toBe(6_003);
});
