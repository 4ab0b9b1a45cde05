/** Upper bounds in seconds, as Prometheus expects them. */
export const DURATION_BOUNDS = Object.freeze([
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]);

export interface DurationReport {
  readonly count: number;
  readonly sumSeconds: number;
  /** One count per bound, not cumulative; the last one counts values above all bounds. */
  readonly counts: readonly number[];
}

/** A histogram in plain numbers: an observation allocates nothing. */
export class DurationBuckets implements DurationReport {
  count = 0;
  sumSeconds = 0;
  readonly counts: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);

  report(): DurationReport {
    return { count: this.count, sumSeconds: this.sumSeconds, counts: [...this.counts] };
  }

  observe(ms: number): void {
    const seconds = ms / 1_000;
    let i = 0;
    while (i < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[i]!) i++;
    this.counts[i]!++;
    this.count++;
    this.sumSeconds += seconds;
  }
}
