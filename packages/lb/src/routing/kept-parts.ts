/** Parts of rules that outlive a change of the configuration, such as counts and keys that were fetched. */
export class KeptParts {
  #kept: ReadonlyMap<string, unknown> = new Map();
  #next = new Map<string, unknown>();

  /** The part that is kept under this key, or a new one. */
  keep<T>(key: string, create: () => T): T {
    const known = this.#next.get(key) ?? this.#kept.get(key) ?? create();
    this.#next.set(key, known);
    return known as T;
  }

  /** From now on, only the parts that were asked for since the last time are kept. */
  commit(): void {
    this.#kept = this.#next;
    this.#next = new Map();
  }

  /** What was asked for since the last time is not used. */
  undo(): void {
    this.#next = new Map();
  }

  *values(): Generator<readonly [string, unknown]> {
    yield* this.#kept;
  }
}
