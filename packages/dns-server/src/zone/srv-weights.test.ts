import { assert, integer, array, property } from 'fast-check';
import { expect, test } from 'vitest';
import { srvWeights } from './srv-weights.ts';

/** What HAProxy makes of the weight of an SRV record. */
const atHaproxy = (weight: number) => Math.min(256, Math.ceil(weight / 256));

test('N6: weights up to 255 are at HAProxy what they are here', () => {
  const weights = Array.from({ length: 256 }, (_, i) => i);
  expect(srvWeights(weights).map(atHaproxy)).toEqual(weights);
});

test('larger ones keep their ratio', () => {
  expect(srvWeights([65_535, 32_768, 1])).toEqual([65_535, 32_768, 1]);
  expect(srvWeights([1_000, 500, 100])).toEqual([65_535, 32_768, 6_554]);
});

test('0 stays 0 unless all are 0', () => {
  expect(srvWeights([0, 100])).toEqual([0, 25_600]);
  expect(srvWeights([0, 0])).toEqual([256, 256]);
  expect(srvWeights([])).toEqual([]);
});

test('weights fit the field, keep their order, and only 0 becomes 0', () => {
  const weight = integer({ min: 0, max: 65_535 });
  assert(
    property(array(weight, { minLength: 1 }), (weights) => {
      const scaled = srvWeights(weights);
      const some = Math.max(...weights) > 0;
      weights.forEach((given, i) => {
        expect(scaled[i]).toBeLessThanOrEqual(65_535);
        if (some) expect(scaled[i] === 0).toBe(given === 0);
        weights.forEach((other, k) => {
          if (given > other) expect(scaled[i]).toBeGreaterThanOrEqual(scaled[k]!);
        });
      });
    }),
  );
});
