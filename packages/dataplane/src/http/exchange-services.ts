import type { RetryBudget } from '@rollcall/balancing';
import type { QueueWatch } from '../io/queue-watch.ts';
import type { Observer } from '../model/observer.ts';
import type { RequestTracer } from '../model/request-tracer.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { Router } from '../model/router.ts';
import type { DateLine } from './date-line.ts';
import type { HttpCounters } from './plane-counters.ts';
import type { RecentClock } from './recent-clock.ts';
import type { RequestGate } from './request-gate.ts';
import type { RequestHead } from './request-head.ts';
import type { RequestIds } from './request-ids.ts';
import type { ClientIdentity } from './client-identity.ts';
import type { RequestWriter } from './request-writer.ts';
import type { ResponseHead } from './response-head.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { Sources } from './sources.ts';
import type { TraceFields } from './trace-fields.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/**
 * Shared by all exchanges of one server. They can share parsers and writers because each head is
 * parsed and written in one step. Settings may change between two steps.
 */
export interface ExchangeServices {
  readonly observer: Observer;
  /** Undefined: requests are not traced. */
  readonly tracer: RequestTracer | undefined;
  readonly traceFields: TraceFields;
  readonly pool: UpstreamPool;
  readonly clock: RecentClock;
  readonly queueWatch: QueueWatch;
  readonly counters: HttpCounters;
  budget: RetryBudget;
  /** Undefined: no source is limited. */
  sources: Sources | undefined;
  timeouts: HttpTimeouts;
  limits: HttpLimits;
  trustForwarded: boolean;
  /** Undefined: requests get no ids. */
  requestIds: RequestIds | undefined;
  /** Names of the request fields that observers want, in lower case. */
  keptFields: readonly string[];
  readonly gate: RequestGate;
  readonly date: DateLine;
  readonly requestHead: RequestHead;
  readonly requestWriter: RequestWriter;
  readonly responseHead: ResponseHead;
  readonly responseWriter: ResponseWriter;
}

/** Where a request arrived. */
export interface RequestPlace {
  readonly router: Router;
  /** From now on, responses carry `Connection: close`. */
  readonly isClosing: boolean;
}

/** Receives the bytes of a client after a switch of protocols. */
export interface ClientTunnel {
  onClientData(buffer: Buffer, start: number, end: number): void;
  onClientDrain(): void;
  onClientEnd(): void;
  /** The client took some of the bytes sent to it. */
  onClientTaking(): void;
  /** The client has taken all bytes sent to it. */
  onClientHasAll(): void;
}

/** The client's connection as an exchange sees it. */
export interface ClientPort {
  readonly identity: ClientIdentity;
  readonly address: string;
  /** Whether one more request is within the limits of its source. */
  mayRequest(): boolean;
  /** Like Connection.write: after false, `exchange.onClientDrain` follows. */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  /** Checks whether the client still takes the bytes sent to it; reports to the tunnel. */
  inquireSending(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The response has been passed on; without `keepAlive` the connection must end. */
  onAnswered(keepAlive: boolean): void;
  /** From now on, bytes pass in both directions without being parsed. */
  onTunnel(tunnel: ClientTunnel): void;
  shutdown(): void;
  /** The response cannot be completed. */
  abort(): void;
}
