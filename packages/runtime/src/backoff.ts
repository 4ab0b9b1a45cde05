/** The longest pause that a server can ask for, in ms. */
const LONGEST_ASKED_MS = 30_000;

/** Growing pauses with jitter: each is random in the upper half of a span that doubles up to a maximum. */
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
   * The next pause, in ms. At least `leastMs`, which the server asked for, but at most half a minute of it. Up to a
   * quarter is added to that, so that clients that got the same time do not come back together.
   */
  nextDelayMs(leastMs = 0): number {
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
