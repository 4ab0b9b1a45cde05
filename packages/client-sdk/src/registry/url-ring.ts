/** The registry's URLs in turn, starting with a random one, so that many clients spread over the servers. */
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

  /** Moves on from `failed`; does nothing when another caller already did. */
  leave(failed: string): void {
    if (failed === this.current) this.#at = (this.#at + 1) % this.#urls.length;
  }
}
