/** Something kept for each caller for as long as it is of use. */
interface Kept {
  /** Whether it may be forgotten: a fresh one would say the same. */
  readonly isIdle: boolean;
}

/** At so many callers those of no use are looked for. */
const SWEEP_SIZE = 1_024;

/** One of something for each caller. Bounded by the callers that come at the same time. */
export class ByCaller<T extends Kept> {
  readonly #make: () => T;
  readonly #kept = new Map<string, T>();
  #sweepAt = SWEEP_SIZE;

  constructor(make: () => T) {
    this.#make = make;
  }

  of(key: string): T {
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
