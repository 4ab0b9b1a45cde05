import type { Clock, Timer } from '@rollcall/runtime';

/** How often the event loop delay is measured, in ms. */
const TICK_MS = 50;

/**
 * This many late ticks in a row are a standing delay. A single one is only a pause, such as a garbage collection or a
 * process that was stopped.
 */
const STANDING = 3;

/** How long the delay must be low before a limit counts as kept again, in ms. */
const CALM_MS = 500;

interface Sample {
  readonly atMs: number;
  readonly lastMs: number;
  readonly standingMs: number;
}

/**
 * A limit of the delay, with a memory. It is exceeded when the smallest of the last few delays is (as in CoDel: only a
 * standing delay counts, not a passing one), and until all delays of half a second were below half of the limit.
 */
export class DelayLimit {
  readonly #limitMs: number;
  #isOver = false;
  #calmSinceMs: number | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  observe({ atMs, lastMs, standingMs }: Sample): void {
    if (!this.#isOver) {
      this.#isOver = standingMs >= this.#limitMs;
      this.#calmSinceMs = undefined;
    } else if (lastMs >= this.#limitMs / 2) this.#calmSinceMs = undefined;
    else {
      this.#calmSinceMs ??= atMs;
      this.#isOver = atMs - this.#calmSinceMs < CALM_MS;
    }
  }
}

/** How late the event loop runs due work, measured by a coarse timer. */
export class LoopDelay {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #limits: DelayLimit[] = [];
  #lastAtMs: number;
  #last: readonly number[] = Array<number>(STANDING).fill(0);

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastAtMs = clock.monotonicMs();
    this.#timer = clock.every(TICK_MS, () => this.#tick());
  }

  /** The standing delay: the smallest of the last three, in ms. */
  get standingMs(): number {
    return Math.min(...this.#last);
  }

  /** Adds a limit, in ms, that is updated from now on. */
  limit(limitMs: number): DelayLimit {
    const limit = new DelayLimit(limitMs);
    this.#limits.push(limit);
    return limit;
  }

  close(): void {
    this.#timer.cancel();
  }

  #tick(): void {
    const atMs = this.#clock.monotonicMs();
    const lastMs = Math.max(0, atMs - this.#lastAtMs - TICK_MS);
    this.#lastAtMs = atMs;
    this.#last = [...this.#last.slice(1), lastMs];
    const sample = { atMs, lastMs, standingMs: this.standingMs };
    for (const limit of this.#limits) limit.observe(sample);
  }
}
