import { type ServiceKey, serviceKeyOf, type ServiceRef } from '@rollcall/contract';

/** The services that a stream covers: some by name, or all of its scope. */
export class Coverage {
  #named: Set<ServiceKey>;
  #isWhole: boolean;

  /** `named` undefined = all. */
  constructor(named: Iterable<ServiceKey> | undefined) {
    this.#named = new Set(named);
    this.#isWhole = named === undefined;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  has(one: ServiceRef): boolean {
    return this.#isWhole || this.#named.has(serviceKeyOf(one));
  }

  /** Undefined = all. */
  add(keys: readonly ServiceKey[] | undefined): void {
    if (keys === undefined) this.#isWhole = true;
    else for (const key of keys) this.#named.add(key);
  }

  /** No reader is left. A later reader must start with a fresh picture. */
  forget(key: ServiceKey): void {
    this.#named.delete(key);
  }

  /** Keeps only these of all covered services: whatever else the stream shows is ignored, so it is not known later. */
  narrow(keys: Iterable<ServiceKey>): void {
    const kept = [...keys].filter((key) => this.#isWhole || this.#named.has(key));
    this.#isWhole = false;
    this.#named = new Set(kept);
  }

  copy(): Coverage {
    return new Coverage(this.#isWhole ? undefined : this.#named);
  }
}
