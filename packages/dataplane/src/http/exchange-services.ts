import type { RetryBudget } from '@rollcall/balancing';
import type { QueueWatch } from '../io/queue-watch.ts';
import type { Observer } from '../model/observer.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { Clock } from '@rollcall/runtime';
import type { DateLine } from './date-line.ts';
import type { HttpCounters } from './plane-counters.ts';
import type { RequestGate } from './request-gate.ts';
import type { RequestHead } from './request-head.ts';
import type { ClientIdentity, RequestWriter } from './request-writer.ts';
import type { ResponseHead } from './response-head.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** What all exchanges of one server share. Parsers and writers are shared because nothing is parsed in two steps. */
export interface ExchangeServices {
  readonly observer: Observer;
  readonly pool: UpstreamPool;
  readonly clock: Clock;
  readonly queueWatch: QueueWatch;
  readonly counters: HttpCounters;
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits;
  readonly budget: RetryBudget;
  readonly trustForwarded: boolean;
  readonly gate: RequestGate;
  readonly date: DateLine;
  readonly requestHead: RequestHead;
  readonly requestWriter: RequestWriter;
  readonly responseHead: ResponseHead;
  readonly responseWriter: ResponseWriter;
  /** Answers say `Connection: close` from now on. */
  isClosing: boolean;
}

/** Where the bytes of a client go after a switch of protocols. */
export interface ClientTunnel {
  onClientData(buffer: Buffer, start: number, end: number): void;
  onClientDrain(): void;
  onClientEnd(): void;
  /** The client took some of what it was sent. */
  onClientTaking(): void;
  /** The client has all that it was sent. */
  onClientHasAll(): void;
}

/** The client's connection as an exchange sees it. */
export interface ClientPort {
  readonly identity: ClientIdentity;
  readonly address: string;
  /** As of Connection: false means that `exchange.onClientDrain` follows. */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  /** Looks whether the client still takes what it was sent; the tunnel hears of it. */
  inquireSending(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The answer was handed over; without `keepAlive` the connection is to end. */
  onAnswered(keepAlive: boolean): void;
  /** From now on bytes go to and fro unread. */
  onTunnel(tunnel: ClientTunnel): void;
  shutdown(): void;
  /** The answer cannot be completed. */
  abort(): void;
}
