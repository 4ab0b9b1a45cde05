/** The smallest value that is not below a share `ratio` (0..1) of the values; NaN if there are none. */
export function quantile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle value, or the mean of the two middle values; NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (
    ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
  );
}

/** `12.3k`, `1.20M`: three digits, for a table. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)}k`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The median with three digits, and `low-high`. */
export function spread(values: readonly number[]): string {
  return `${short(median(values))} (${short(Math.min(...values))}-${short(Math.max(...values))})`;
}
