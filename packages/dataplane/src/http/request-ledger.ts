import type { RequestTrace } from '../model/request-tracer.ts';
import { RequestRecord } from './exchange-record.ts';
import type { ExchangeServices } from './exchange-services.ts';
import type { RequestHead } from './request-head.ts';

/**
 * Counts the start and end of a request, and passes its record to the observer and the tracer. Reused for each request.
 */
export class RequestLedger {
  readonly record = new RequestRecord();
  /** Undefined: the request is not traced. */
  trace: RequestTrace | undefined;
  readonly #services: ExchangeServices;
  #openedAt = 0;

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  begin(clientAddress: string, isSecure: boolean): void {
    this.record.clear(clientAddress);
    this.record.isSecure = isSecure;
    this.#openedAt = this.#services.clock.monotonicMs();
    this.#services.counters.requests++;
    this.#services.counters.requestsInFlight++;
  }

  /** The head is complete and valid. A tracer takes its fields out of what is forwarded. */
  read(source: Buffer, head: RequestHead): void {
    this.record.fill(source, head);
    const { tracer, traceFields, keptFields, requestIds } = this.#services;
    if (requestIds !== undefined)
      this.record.requestId = requestIds.take(source, head, this.record.clientAddress);
    if (keptFields.length > 0) this.record.keep(keptFields);
    if (tracer !== undefined)
      this.trace = tracer.onRequest(this.record, traceFields.take(source, head));
  }

  /** `reason` empty: keeps the reason in the record. `isAtOnce`: the clock has been read since the last write. */
  finish(reason: string, isAtOnce: boolean): void {
    const { record } = this;
    const { clock } = this.#services;
    if (reason !== '') record.reason = reason;
    record.durationMs = (isAtOnce ? clock.recentMs : clock.monotonicMs()) - this.#openedAt;
    this.#services.counters.requestsInFlight--;
    this.#services.observer.onResponse(record);
    if (this.trace === undefined) return;
    this.trace.onEnd(record);
    this.trace = undefined;
  }
}
