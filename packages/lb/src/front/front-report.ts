import type { HttpCounters, TlsCounters } from '@rollcall/dataplane';
import type { TargetReport } from '../groups/target-report.ts';
import type { TrafficReport } from '../traffic/group-traffic.ts';

/** The handshakes of a listener with clients. */
export interface HandshakeReport extends Readonly<TlsCounters> {
  readonly underWay: number;
}

/** What a front has counted, as plain data. */
export interface FrontReport {
  readonly counters: HttpCounters;
  /** By name of the group; empty for requests that reached none. */
  readonly traffic: Readonly<Record<string, TrafficReport>>;
  /** By name of the group. */
  readonly targets: Readonly<Record<string, readonly TargetReport[]>>;
  /** Requests that wait, by name of the group; of groups with a queue. */
  readonly queues: Readonly<Record<string, number>>;
  /** By name of the listener. */
  readonly handshakes: Readonly<Record<string, HandshakeReport>>;
  /** Lines of the access log that were lost. */
  readonly droppedLines: number;
}
