import type { PoolTarget } from './pool-target.ts';

/** In tenths of the weight, one after another. */
const WHOLE = 10;

/**
 * Gives targets that have just become good, new or again, a growing share of their weight: from a tenth to the whole.
 * Pickers read weights only when they are built, so the weight grows in steps. The first targets of all start whole:
 * nobody could take the rest of their share. The caller passes the time, in ms on one monotonic clock.
 */
export class SlowStart<T extends PoolTarget> {
  /** How long it takes; 0: all start whole. */
  durationMs: number;
  /** The targets whose weight still grows, and when each of them began. */
  readonly #begun = new Map<T, number>();
  #good: ReadonlySet<T> = new Set();

  constructor(durationMs: number) {
    this.durationMs = durationMs;
  }

  /** Sets the weights. `good`: the targets that are to be used now, without those that are used for lack of others. */
  weigh(targets: ReadonlyMap<string, T>, good: readonly T[], nowMs: number): void {
    if (this.durationMs === 0 && this.#begun.size === 0) {
      this.#good = new Set();
      return;
    }
    this.#note(good, nowMs);
    for (const target of targets.values()) {
      target.startTenths = this.#tenthsOf(target, nowMs);
      if (target.startTenths === WHOLE) this.#begun.delete(target);
    }
    // Whole numbers: turns by weight divide them by what they have in common.
    const isAny = this.#begun.size > 0;
    for (const target of targets.values())
      target.weight = target.endpoint.weight * (isAny ? target.startTenths : 1);
  }

  /** When a weight grows next, in ms; Infinity: none does. */
  get nextStepMs(): number {
    let next = Infinity;
    for (const [{ startTenths }, begunMs] of this.#begun)
      next = Math.min(next, begunMs + Math.ceil((startTenths * this.durationMs) / (WHOLE - 1)));
    return next;
  }

  #note(good: readonly T[], nowMs: number): void {
    const before = this.#good;
    this.#good = new Set(good);
    for (const target of this.#begun.keys())
      if (!this.#good.has(target)) this.#begun.delete(target);
    if (before.size === 0 || this.durationMs === 0) return;
    for (const target of good) if (!before.has(target)) this.#begun.set(target, nowMs);
  }

  #tenthsOf(target: T, nowMs: number): number {
    const begunMs = this.#begun.get(target);
    if (begunMs === undefined || this.durationMs === 0) return WHOLE;
    const steps = Math.floor(((nowMs - begunMs) * (WHOLE - 1)) / this.durationMs);
    return Math.min(1 + steps, WHOLE);
  }
}
