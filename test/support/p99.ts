/**
 * The largest but for one in a hundred, and for one where there are fewer: a single stall of the machine says nothing of a
 * bound that holds for ninety-nine of a hundred.
 */
export function p99(values: readonly number[]): number {
  const outliers = Math.ceil(values.length / 100);
  return values.toSorted((a, b) => b - a)[outliers] ?? 0;
}
