import { expect, test } from 'vitest';
import { simulate } from './run.ts';

/** Seeds in one go; SEEDS=10000 for the whole number, though `npm run simulate` is quicker: it uses every core. */
const SEEDS = Number(process.env['SEEDS'] ?? 300);

test(`G1 to G6: ${SEEDS} seeds of a fleet on virtual time, each with faults of its own`, async () => {
  const failed: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { faults } = await simulate(seed);
    if (faults !== '') failed.push(`npm run simulate -- --seed ${seed}\n${faults}`);
  }
  expect(failed).toEqual([]);
}, 600_000);

test('the same seed happens the same way again', async () => {
  const [first, second] = [await simulate(7), await simulate(7)];
  expect(second.trace).toEqual(first.trace);
  expect(second.happened).toBe(first.happened);
  expect(first.trace.length).toBeGreaterThan(10);
});
