const MAX_WEIGHT = 65_535;
/** HAProxy divides the weight of an SRV record by this, rounds up, and uses at most 256. */
const SCALE = 256;

/**
 * Weights of SRV records, in the ratio of the endpoints' weights. Weights up to 256 are multiplied by 256, because
 * HAProxy divides by that: weight 100 becomes 100 there, whereas 1, 100 and 255 unscaled would all become 1. 0 stays 0
 * ("drained"), and nothing else becomes 0; when all are 0, all count the same.
 */
export function srvWeights(weights: readonly number[]): number[] {
  const largest = Math.max(0, ...weights);
  if (largest === 0) return weights.map(() => SCALE);
  const factor = largest <= SCALE ? SCALE : MAX_WEIGHT / largest;
  return weights.map((weight) =>
    weight <= 0 ? 0 : Math.min(MAX_WEIGHT, Math.max(1, Math.round(weight * factor))),
  );
}
