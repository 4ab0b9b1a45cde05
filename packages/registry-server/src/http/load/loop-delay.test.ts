import { expect, test } from 'vitest';
import type { Clock } from '@rollcall/runtime';
import { LoopDelay } from './loop-delay.ts';

/** A clock whose only timer fires when the test says so, however late. */
class LateClock implements Clock {
  #nowMs = 0;
  #tick = () => {};

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(): never {
    throw new Error('not needed here');
  }

  every(_ms: number, call: () => void) {
    this.#tick = call;
    return { cancel: () => (this.#tick = () => {}) };
  }

  /** The next tick comes so late, so often. */
  turn(lateMs: number, times = 1): void {
    for (let i = 0; i < times; i++) {
      this.#nowMs += 50 + lateMs;
      this.#tick();
    }
  }
}

function watched(limitMs: number) {
  const clock = new LateClock();
  const delay = new LoopDelay(clock);
  return { clock, delay, limit: delay.limit(limitMs) };
}

test('one long pause is no overload, however long: heartbeats come right after it', () => {
  const { clock, limit } = watched(100);
  clock.turn(5_000);
  expect(limit.isOver).toBe(false);
  clock.turn(0, 3);
  clock.turn(5_000, 2);
  expect(limit.isOver).toBe(false);
});

test('a delay that stands is, and is reported', () => {
  const { clock, delay, limit } = watched(100);
  clock.turn(120, 2);
  expect(limit.isOver).toBe(false);
  clock.turn(150);
  expect(limit.isOver).toBe(true);
  expect(delay.standingMs).toBe(120);
});

test('it is over only after half a second of calm, and does not flutter at the limit', () => {
  const { clock, limit } = watched(100);
  clock.turn(100, 3);
  clock.turn(60, 30);
  expect(limit.isOver).toBe(true);
  clock.turn(0, 9);
  expect(limit.isOver).toBe(true);
  clock.turn(80);
  clock.turn(0, 10);
  expect(limit.isOver).toBe(true);
  clock.turn(0);
  expect(limit.isOver).toBe(false);
});

test('closed, it looks no more', () => {
  const { clock, delay, limit } = watched(100);
  delay.close();
  clock.turn(500, 5);
  expect(limit.isOver).toBe(false);
});
