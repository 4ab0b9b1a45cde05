import type { ExchangeRecord } from '@rollcall/dataplane';
import { DurationBuckets } from './duration-buckets.ts';

/** Counters of the requests of one group; plain numbers, read on request. */
export class GroupTraffic {
  /** By first digit of the status. */
  readonly byClass = [0, 0, 0, 0, 0, 0];
  /** Responses that the balancer generated or that were cut short, by reason. */
  readonly byReason = new Map<string, number>();
  readonly durations = new DurationBuckets();
  requestBytes = 0;
  responseBytes = 0;

  add(record: ExchangeRecord): void {
    this.byClass[Math.min(5, Math.floor(record.status / 100))]!++;
    this.durations.observe(record.durationMs);
    this.requestBytes += record.requestBytes;
    this.responseBytes += record.responseBytes;
    const { reason } = record;
    if (reason !== '') this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
  }
}
