import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { TargetTraffic } from './target-traffic.ts';

const countIn = (latencies: readonly number[], boundMs: number) =>
  latencies[[...LATENCY_BOUNDS_MS, Infinity].indexOf(boundMs)];

test('calls by latency, each within the bound of its bucket', () => {
  const traffic = new TargetTraffic();
  for (const ms of [0, 1, 1.7, 2, 80_000, 80_000.1]) traffic.answered(ms, false);
  const { calls, failures, latencies } = traffic.take();
  expect({ calls, failures }).toEqual({ calls: 6, failures: 0 });
  expect(countIn(latencies, 1)).toBe(2);
  expect(countIn(latencies, 2)).toBe(2);
  expect(countIn(latencies, 80_000)).toBe(1);
  expect(countIn(latencies, Infinity)).toBe(1);
});

test('a call without an answer is a failure without a latency', () => {
  const traffic = new TargetTraffic();
  traffic.failed();
  traffic.answered(3, true);
  const { calls, failures, latencies } = traffic.take();
  expect({ calls, failures }).toEqual({ calls: 2, failures: 2 });
  expect(latencies.reduce((sum, count) => sum + count, 0)).toBe(1);
});

test('what was taken is not taken again, and stays as it was', () => {
  const traffic = new TargetTraffic();
  traffic.answered(3, false);
  const { latencies } = traffic.take();
  traffic.answered(3, false);
  traffic.answered(3, false);
  expect(countIn(latencies, 3.2)).toBe(1);
  expect(traffic.take().calls).toBe(2);
  expect(traffic.take().calls).toBe(0);
  expect(traffic.take().latencies).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
});

test('an answer that breaks off makes no second call of one', () => {
  const traffic = new TargetTraffic();
  traffic.answered(3, false);
  traffic.broke();
  traffic.answered(3, true);
  traffic.broke();
  expect(traffic.take()).toMatchObject({ calls: 2, failures: 2 });
});
