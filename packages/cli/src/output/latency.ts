import { LATENCY_BOUNDS_MS } from '@rollcall/contract';

/**
 * The latency below which a share of the calls stayed, for people; `<none>` without calls.
 * @param latencies - one count or rate for each of `LATENCY_BOUNDS_MS`, and one for what took longer
 * @param share - 0 to 1
 */
export function latencyText(latencies: readonly number[], share: number): string {
  const bucket = bucketOf(latencies, share);
  if (bucket === undefined) return '<none>';
  const { index, part } = bucket;
  const above = LATENCY_BOUNDS_MS[index];
  if (above === undefined) return `>${durationOf(LATENCY_BOUNDS_MS.at(-1)!)}`;
  if (index === 0) return `<${durationOf(above)}`;
  const below = LATENCY_BOUNDS_MS[index - 1]!;
  return durationOf(below + (above - below) * part);
}

/** Where the share ends: the bucket, and how far into it, as if its calls were spread evenly. */
export function bucketOf(
  latencies: readonly number[],
  share: number,
): { readonly index: number; readonly part: number } | undefined {
  const wanted = latencies.reduce((sum, rate) => sum + rate, 0) * share;
  if (wanted === 0) return undefined;
  let before = 0;
  for (const [index, rate] of latencies.entries()) {
    if (rate > 0 && before + rate >= wanted) return { index, part: (wanted - before) / rate };
    before += rate;
  }
  // Rounding may leave the sum a little below.
  return { index: latencies.findLastIndex((rate) => rate > 0), part: 1 };
}

/** Two digits: the buckets tell no more. */
function durationOf(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))}ms`;
  if (ms < 1_000) return `${Number(ms.toPrecision(2))}ms`;
  return `${Number((ms / 1_000).toPrecision(2))}s`;
}
