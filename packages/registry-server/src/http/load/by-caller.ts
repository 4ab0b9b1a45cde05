/** State kept per caller for as long as it is needed. */
interface Kept {
  /** Whether it can be dropped: a new one would behave the same. */
  readonly isIdle: boolean;
}

/** At this many callers, idle entries are dropped. */
const SWEEP_SIZE = 1_024;

/** One entry per caller. Bounded by the number of callers that are active at the same time. */
export class ByCaller<T extends Kept> {
  readonly #make: () => T;
  readonly #kept = new Map<string, T>();
  #sweepAt = SWEEP_SIZE;

  constructor(make: () => T) {
    this.#make = make;
  }

  getOrCreate(key: string): T {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    if (this.#kept.size >= this.#sweepAt) this.#sweep();
    const made = this.#make();
    this.#kept.set(key, made);
    return made;
  }

  #sweep(): void {
    for (const [key, { isIdle }] of this.#kept) if (isIdle) this.#kept.delete(key);
    this.#sweepAt = Math.max(SWEEP_SIZE, this.#kept.size * 2);
  }
}
