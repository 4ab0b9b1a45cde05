/** The registry's urls in turn, from a random one on, so that many clients spread over the servers. */
export class UrlRing {
  readonly #urls: readonly string[];
  #at: number;

  constructor(urls: readonly string[], random: () => number) {
    this.#urls = urls;
    this.#at = Math.floor(random() * urls.length);
  }

  get size(): number {
    return this.#urls.length;
  }

  get current(): string {
    return this.#urls[this.#at]!;
  }

  /** Moves on from `failed`; does nothing when someone else already did. */
  leave(failed: string): void {
    if (failed === this.current) this.#at = (this.#at + 1) % this.#urls.length;
  }
}
