/** However long a server asks to wait, in ms. */
const LONGEST_ASKED_MS = 30_000;

/** Growing, jittered pauses: each is drawn from the upper half of a span that doubles up to a cap. */
export class Backoff {
  readonly #random: () => number;
  readonly #baseMs: number;
  readonly #maxMs: number;
  #failures = 0;

  /** `baseMs`: span of the first pause; `maxMs`: largest span. */
  constructor(random: () => number, baseMs: number, maxMs: number) {
    this.#random = random;
    this.#baseMs = Math.min(baseMs, maxMs);
    this.#maxMs = maxMs;
  }

  /**
   * The next pause in ms, no shorter than `leastMs`: what a server asked for, up to half a minute, since one that has
   * too much to do spreads those who come back over a time of its own.
   */
  next(leastMs = 0): number {
    const spanMs = Math.min(this.#baseMs * 2 ** this.#failures, this.#maxMs);
    this.#failures++;
    const drawnMs = spanMs * (0.5 + 0.5 * this.#random());
    const askedMs = Math.min(leastMs, LONGEST_ASKED_MS) * (1 + 0.25 * this.#random());
    return Math.max(drawnMs, askedMs);
  }

  reset(): void {
    this.#failures = 0;
  }
}
