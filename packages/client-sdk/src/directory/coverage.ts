import { type ServiceKey, serviceKeyOf, type ServiceRef } from '@rollcall/contract';

/** Which services a stream is about: some by name, or all of its scope. */
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

  /** A service that nobody reads any more: who reads it later starts with a picture of that time. */
  forget(key: ServiceKey): void {
    this.#named.delete(key);
  }

  /** Of all that it covers only these are kept: what else a stream shows is not taken in, and so is not known later. */
  narrow(keys: Iterable<ServiceKey>): void {
    const kept = [...keys].filter((key) => this.#isWhole || this.#named.has(key));
    this.#isWhole = false;
    this.#named = new Set(kept);
  }

  copy(): Coverage {
    return new Coverage(this.#isWhole ? undefined : this.#named);
  }
}
