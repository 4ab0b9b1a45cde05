import type { ExchangeRecord } from '@rollcall/dataplane';
import { DurationBuckets, type DurationReport } from './duration-buckets.ts';

/** Counters of the requests of one group, as plain data. */
export interface TrafficReport {
  readonly byClass: readonly number[];
  readonly byReason: Readonly<Record<string, number>>;
  readonly durations: DurationReport;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Counters of the requests of one group; plain numbers, read on request. */
export class GroupTraffic {
  /** By first digit of the status. */
  readonly byClass = [0, 0, 0, 0, 0, 0];
  /** Responses that the balancer generated or that were cut short, by reason. */
  readonly byReason = new Map<string, number>();
  readonly durations = new DurationBuckets();
  requestBytes = 0;
  responseBytes = 0;

  report(): TrafficReport {
    const { byClass, byReason, durations, requestBytes, responseBytes } = this;
    return {
      byClass: [...byClass],
      byReason: Object.fromEntries(byReason),
      durations: durations.report(),
      requestBytes,
      responseBytes,
    };
  }

  add(record: ExchangeRecord): void {
    this.byClass[Math.min(5, Math.floor(record.status / 100))]!++;
    this.durations.observe(record.durationMs);
    this.requestBytes += record.requestBytes;
    this.responseBytes += record.responseBytes;
    const { reason } = record;
    if (reason !== '') this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
  }
}
