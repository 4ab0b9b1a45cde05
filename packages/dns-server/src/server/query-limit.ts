import { isLoopback } from './loopback.ts';

/** Maximum number of addresses counted per second; further addresses are not counted, so that memory stays limited. */
const MAX_ADDRESSES = 100_000;

/** Counts the UDP queries of each address in the current second. This machine itself is never limited. */
export class QueryLimit {
  readonly #perSecond: number;
  readonly #counts = new Map<string, number>();

  /** @param perSecond 0 = no limit */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts one query; false when the address has sent too many. */
  admit(address: string): boolean {
    if (this.#perSecond === 0 || isLoopback(address)) return true;
    const count = (this.#counts.get(address) ?? 0) + 1;
    if (count > 1 || this.#counts.size < MAX_ADDRESSES) this.#counts.set(address, count);
    return count <= this.#perSecond;
  }

  /** Must be called once per second. */
  nextSecond(): void {
    if (this.#counts.size > 0) this.#counts.clear();
  }
}
