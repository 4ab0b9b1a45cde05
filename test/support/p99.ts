/**
 * The largest value after dropping one in a hundred, and at least one: a single stall of the machine says nothing
 * about a limit that holds for 99 %.
 */
export function p99(values: readonly number[]): number {
  const outliers = Math.ceil(values.length / 100);
  return values.toSorted((a, b) => b - a)[outliers] ?? 0;
}
