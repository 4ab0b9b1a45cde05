import type { PoolTarget } from './pool-target.ts';

export interface SuccessRateOptions {
  /** Length of the window after which the rates are compared, in ms. */
  readonly windowMs: number;
  /** Calls that a target must have had in the window. */
  readonly minRequests: number;
  /** Targets that must have had so many; with fewer of them nothing is compared. */
  readonly minTargets: number;
  /** Standard deviations below the mean of all rates at which a rate stands out. */
  readonly factor: number;
}

/** Rates that differ by less are the same: sums of fractions are not exact. */
const SAME = 1e-9;

/**
 * Compares how many of the calls to each target succeed, window by window, and finds those that are much worse than the
 * others: the outlier detection by success rate of Envoy. The caller passes the time, in ms on one monotonic clock.
 */
export class SuccessRates<T extends PoolTarget> {
  #options: SuccessRateOptions;
  /** When the current window ends. */
  endMs: number;

  constructor(options: SuccessRateOptions, nowMs: number) {
    this.#options = options;
    this.endMs = nowMs + options.windowMs;
  }

  /** From now on. A window that has begun ends when it would have. */
  configure(options: SuccessRateOptions): void {
    this.#options = options;
  }

  /** After the end of a window: begins the next one. @returns the targets that stood out in the last one. */
  endWindow(targets: Iterable<T>, nowMs: number): readonly T[] {
    const { windowMs, minRequests, minTargets, factor } = this.#options;
    this.endMs = nowMs + windowMs;
    const rates: { readonly target: T; readonly rate: number }[] = [];
    for (const target of targets) {
      const { windowCalls, windowFailures } = target;
      if (windowCalls > 0 && windowCalls >= minRequests)
        rates.push({ target, rate: 1 - windowFailures / windowCalls });
      target.windowCalls = 0;
      target.windowFailures = 0;
    }
    if (rates.length < minTargets) return [];
    const mean = meanOf(rates.map(({ rate }) => rate));
    const deviation = Math.sqrt(meanOf(rates.map(({ rate }) => (rate - mean) ** 2)));
    const least = mean - factor * deviation - SAME;
    return rates.filter(({ rate }) => rate < least).map(({ target }) => target);
  }
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
