import { RequestRecord } from './exchange-record.ts';
import type { ExchangeServices } from './exchange-services.ts';

/** Counts the start and end of a request, and passes its record to the observer. Reused for each request. */
export class RequestLedger {
  readonly record = new RequestRecord();
  readonly #services: ExchangeServices;
  #openedAt = 0;

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  begin(clientAddress: string): void {
    this.record.clear(clientAddress);
    this.#openedAt = this.#services.clock.monotonicMs();
    this.#services.counters.requests++;
    this.#services.counters.requestsInFlight++;
  }

  /** `reason` empty: keeps the reason in the record. */
  finish(reason: string): void {
    const { record } = this;
    if (reason !== '') record.reason = reason;
    record.durationMs = this.#services.clock.monotonicMs() - this.#openedAt;
    this.#services.counters.requestsInFlight--;
    this.#services.observer.onResponse(record);
  }
}
