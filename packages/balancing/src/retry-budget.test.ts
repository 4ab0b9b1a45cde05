import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

const drain = (budget: RetryBudget, nowMs: number) => {
  let taken = 0;
  while (budget.tryWithdraw(nowMs)) taken++;
  return taken;
};

test('a quiet client has ten seconds of the minimum saved up and no more', () => {
  const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 10, burst: 1_000 }, 0);
  expect(drain(budget, 0)).toBe(100);
  expect(drain(budget, 1_000)).toBe(10);
  expect(drain(budget, 3_600_000)).toBe(100);
});

test('calls bring their share, up to the burst', () => {
  const budget = new RetryBudget({ ratio: 0.25, minPerSecond: 0, burst: 50 }, 0);
  for (let call = 0; call < 100; call++) budget.deposit();
  expect(drain(budget, 0)).toBe(25);
  for (let call = 0; call < 10_000; call++) budget.deposit();
  expect(drain(budget, 0)).toBe(50);
});

test('a clock that stands still or steps back brings nothing', () => {
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 1, burst: 10 }, 5_000);
  expect(drain(budget, 5_000)).toBe(10);
  expect(drain(budget, 1_000)).toBe(0);
});

test('retries never exceed reserve + ratio of calls + minimum over time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ calls: fc.nat(50), elapsedMs: fc.nat(2_000) }), { maxLength: 50 }),
      (steps) => {
        const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 10, burst: 1_000 }, 0);
        let nowMs = 0;
        let calls = 0;
        let retries = 0;
        for (const step of steps) {
          nowMs += step.elapsedMs;
          calls += step.calls;
          for (let call = 0; call < step.calls; call++) budget.deposit();
          retries += drain(budget, nowMs);
        }
        expect(retries).toBeLessThanOrEqual(100 + calls * 0.2 + nowMs / 100 + 1);
      },
    ),
  );
});

test('a reserve without a rate is spent once, and only calls earn more', () => {
  const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, burst: 3, reserve: 3 }, 0);
  expect([1, 2, 3].map(() => budget.tryWithdraw(0))).toEqual([true, true, true]);
  expect(budget.tryWithdraw(3_600_000)).toBe(false);
  budget.deposit();
  expect(budget.tryWithdraw(3_600_000)).toBe(false);
  budget.deposit();
  expect(budget.tryWithdraw(3_600_000)).toBe(true);
  expect(budget.tryWithdraw(7_200_000)).toBe(false);
});
