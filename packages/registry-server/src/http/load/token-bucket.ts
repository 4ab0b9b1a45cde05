/** A rate limit with a burst: `perSecond` on average, and `most` at once. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #most: number;
  #left: number;
  #atMs: number;

  constructor({ perSecond, most }: { perSecond: number; most: number }, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#most = most;
    this.#left = most;
    this.#atMs = nowMs;
  }

  /**
   * Takes `cost` and returns true if at least one token is left. `cost` may be more than is left: then the next call
   * waits longer. `nowMs` never goes back.
   */
  take(nowMs: number, cost = 1): boolean {
    this.#fill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= cost;
    return true;
  }

  /** Whether its state equals that of a new bucket. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#left >= this.#most;
  }

  #fill(nowMs: number): void {
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
