export interface RetryBudgetOptions {
  /** Retries allowed per call, 0..1. */
  readonly ratio: number;
  /** Retries per second allowed in addition, so that a quiet client can retry at all. */
  readonly minPerSecond: number;
  /** Largest number of retries that can accumulate for a burst. */
  readonly burst: number;
  /**
   * Retries available at the start, and the most that `minPerSecond` alone accumulates; at most `burst`.
   * @default ten seconds' worth of `minPerSecond`
   */
  readonly reserve?: number;
}

/** The default of `reserve`: this many seconds' worth of `minPerSecond`. */
const RESERVE_SECONDS = 10;

/**
 * A token bucket that limits retries to a share of calls, so that retries never multiply an overload. Each call adds
 * `ratio` tokens, each second adds `minPerSecond` (up to `reserve`), each retry costs one. The caller passes
 * the time, in ms on one monotonic clock.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #tokens: number;
  #refilledAtMs: number;

  constructor(options: RetryBudgetOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = this.#reserve;
    this.#refilledAtMs = nowMs;
  }

  get #reserve(): number {
    const { minPerSecond, burst, reserve = minPerSecond * RESERVE_SECONDS } = this.#options;
    return Math.min(reserve, burst);
  }

  /** Counts a first try. */
  deposit(): void {
    const tokens = this.#tokens + this.#options.ratio;
    if (tokens <= this.#options.burst) this.#tokens = tokens;
  }

  /** Takes one retry from the budget; false when it is empty. */
  tryWithdraw(nowMs: number): boolean {
    const elapsedMs = Math.max(nowMs - this.#refilledAtMs, 0);
    this.#refilledAtMs = nowMs;
    const refilled = this.#tokens + (elapsedMs / 1_000) * this.#options.minPerSecond;
    this.#tokens = Math.max(this.#tokens, Math.min(refilled, this.#reserve));
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
