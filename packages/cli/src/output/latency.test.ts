import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { latencyText } from './latency.ts';

/** Calls by the bound of their bucket. */
function latencies(counts: Readonly<Record<string, number>>): number[] {
  return [...LATENCY_BOUNDS_MS, Infinity].map((bound) => counts[bound] ?? 0);
}

test.each<[counts: Record<string, number>, share: number, text: string]>([
  [{}, 0.5, '<none>'],
  [{ 1: 10 }, 0.5, '<1ms'],
  [{ 10: 10 }, 0.5, '9ms'],
  [{ 10: 10 }, 0.99, '10ms'],
  [{ 1: 98, 1_000: 2 }, 0.5, '<1ms'],
  [{ 1: 98, 1_000: 2 }, 0.99, '900ms'],
  [{ 25: 10 }, 0.5, '23ms'],
  [{ 125: 10 }, 0.99, '120ms'],
  [{ 2_000: 1 }, 0.5, '1.8s'],
  [{ 32_000: 1 }, 0.5, '29s'],
  [{ Infinity: 1 }, 0.5, '>80s'],
  [{ 5: 0.1, 6.3: 0.2 }, 0.5, '5.3ms'],
])('%j at %s is %s', (counts, share, text) => {
  expect(latencyText(latencies(counts), share)).toBe(text);
});
