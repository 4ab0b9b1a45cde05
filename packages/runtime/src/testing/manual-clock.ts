import type { Clock, Timer } from '../clock.ts';

interface Waiting {
  atMs: number;
  readonly everyMs: number | undefined;
  readonly call: () => void;
}

/** A clock that stands still until a test moves it. Monotonic and wall time move together, except in `step`. */
export class ManualClock implements Clock {
  #monotonicMs = 1_000;
  #wallMs: number;
  readonly #waiting = new Set<Waiting>();

  constructor(wallMs = 1_800_000_000_000) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(ms: number, call: () => void): Timer {
    return this.#wait({ atMs: this.#monotonicMs + ms, everyMs: undefined, call });
  }

  every(ms: number, call: () => void): Timer {
    return this.#wait({ atMs: this.#monotonicMs + ms, everyMs: ms, call });
  }

  /** Time until the next timer falls due, in ms; undefined = none is set. */
  get nextDueMs(): number | undefined {
    let atMs = Infinity;
    for (const waiting of this.#waiting) atMs = Math.min(atMs, waiting.atMs);
    return atMs === Infinity ? undefined : Math.max(0, atMs - this.#monotonicMs);
  }

  /** Lets time pass. Timers that fall due are called in order. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const [next] = [...this.#waiting]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#move(next.atMs - this.#monotonicMs);
      if (next.everyMs === undefined) this.#waiting.delete(next);
      else next.atMs += next.everyMs;
      next.call();
    }
    this.#move(endMs - this.#monotonicMs);
  }

  /** Sets the wall clock forward or back. */
  step(ms: number): void {
    this.#wallMs += ms;
  }

  #move(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }

  #wait(waiting: Waiting): Timer {
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }
}
