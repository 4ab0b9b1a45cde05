/** Upper bounds in seconds, as Prometheus expects them. */
export const DURATION_BOUNDS = Object.freeze([
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]);

/** A histogram in plain numbers: an observation allocates nothing. */
export class DurationBuckets {
  count = 0;
  sumSeconds = 0;
  /** One count per bound, not cumulative; the last one counts values above all bounds. */
  readonly counts: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);

  observe(ms: number): void {
    const seconds = ms / 1_000;
    let i = 0;
    while (i < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[i]!) i++;
    this.counts[i]!++;
    this.count++;
    this.sumSeconds += seconds;
  }
}
