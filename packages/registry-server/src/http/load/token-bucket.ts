/** A rate with a burst: so many a second, and as many as it holds at once. */
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
   * Whether there is one; takes `cost` if so, which may be more than there is: then the next has to wait the longer.
   * `nowMs` never goes back.
   */
  take(nowMs: number, cost = 1): boolean {
    this.#fill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= cost;
    return true;
  }

  /** Whether it is as if it had never been used. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#left >= this.#most;
  }

  #fill(nowMs: number): void {
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
