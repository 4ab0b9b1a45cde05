import type { Clock, Timer } from '@rollcall/runtime';

/** How often the event loop is looked at, in ms. */
const TICK_MS = 50;

/** So many late ticks in a row are a standing delay; one alone is a pause: a collection of garbage, a process that was stopped. */
const STANDING = 3;

/** How long it must be calm until a limit counts as kept again, in ms. */
const CALM_MS = 500;

interface Sample {
  readonly atMs: number;
  readonly lastMs: number;
  readonly standingMs: number;
}

/**
 * A limit of the delay, with a memory: it is over when the least of the last few delays is (as CoDel has it: what
 * stands, not what passes), and until all of half a second were below half of it.
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

  take({ atMs, lastMs, standingMs }: Sample): void {
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

/** How late the event loop comes to what is due: a coarse timer's lateness. */
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

  /** The delay that stands: the least of the last three, in ms. */
  get standingMs(): number {
    return Math.min(...this.#last);
  }

  /** A limit that is kept up to date from now on, in ms. */
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
    for (const limit of this.#limits) limit.take(sample);
  }
}
