const MAX_WEIGHT = 65_535;
/** HAProxy's weight is that of the SRV record divided by this, rounded up, at most 256. */
const SCALE = 256;

/**
 * Weights of SRV records, in the ratio of the endpoints'. Weights up to 256 become 256 times as much, since HAProxy
 * divides by that: weight 100 is 100 there, where 1, 100 and 255 as they stand would all be 1. 0 stays 0 ("drained")
 * and nothing else becomes 0; when all are 0 all count the same.
 */
export function srvWeights(weights: readonly number[]): number[] {
  const largest = Math.max(0, ...weights);
  if (largest === 0) return weights.map(() => SCALE);
  const factor = largest <= SCALE ? SCALE : MAX_WEIGHT / largest;
  return weights.map((weight) =>
    weight <= 0 ? 0 : Math.min(MAX_WEIGHT, Math.max(1, Math.round(weight * factor))),
  );
}
