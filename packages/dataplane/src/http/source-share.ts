import type { ExchangeServices } from './exchange-services.ts';
import type { Source, Sources } from './sources.ts';

/** What one connection has to do with the limits of its source. */
export class SourceShare {
  readonly #source: Source;
  readonly #sources: Sources;
  readonly #clock: ExchangeServices['clock'];

  private constructor(source: Source, sources: Sources, clock: ExchangeServices['clock']) {
    this.#source = source;
    this.#sources = sources;
    this.#clock = clock;
  }

  /** Undefined when no source is limited. */
  static of(address: string, { sources, clock }: ExchangeServices): SourceShare | undefined {
    if (sources === undefined) return undefined;
    return new SourceShare(sources.enter(address, clock.monotonicMs()), sources, clock);
  }

  get isOneTooMany(): boolean {
    return this.#sources.hasTooMany(this.#source);
  }

  mayRequest(): boolean {
    return this.#source.takeRequest(this.#clock.monotonicMs());
  }

  /** Bytes have passed. @returns whether the next ones have to wait. */
  pass(count: number): boolean {
    this.#source.takeBytes(count);
    return this.isInDebt(this.#clock.recentMs);
  }

  isInDebt(nowMs: number): boolean {
    return this.#source.isInDebt(nowMs);
  }

  leave(): void {
    this.#sources.leave(this.#source);
  }
}
