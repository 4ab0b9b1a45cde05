import { PoolTarget } from '@rollcall/balancing';
import type { Connector } from '../io/transport.ts';

/** Counters that the data plane writes and reports read. */
export interface TargetCounters {
  requests: number;
  /** Attempts that ended without a complete response, including failed connects. */
  failures: number;
  connectFailures: number;
  connections: number;
}

export function createTargetCounters(): TargetCounters {
  return { requests: 0, failures: 0, connectFailures: 0, connections: 0 };
}

/**
 * Something that takes traffic. The object is its identity, and its connection pool depends on it: an owner keeps one
 * object for as long as the same process runs there, and creates a new one when another process replaces it.
 */
export interface Target {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly counters: TargetCounters;
  /** How connections to it are made, for example over TLS. @default as the plane's transport makes them */
  readonly connector?: Connector | undefined;
  /** Requests (for byte kernels: connections or flows) in progress now. */
  readonly inFlight: number;
  /** Counts one more in progress; each call must be followed by one call of {@link end}. */
  begin(): void;
  end(): void;
}

/** An endpoint as a target of pools. */
export class EndpointTarget extends PoolTarget implements Target {
  readonly counters = createTargetCounters();
}

export interface NoTarget {
  readonly code: string;
  /** Safe to show to clients. */
  readonly detail: string;
  /** For the log: names, addresses, errors. */
  readonly cause?: string;
}

/** The client that asks for a target. Hash policies and client affinity use it. */
export interface TargetClient {
  readonly clientAddress: string;
  /** Id of the target that it is to get again, if that one takes requests. */
  readonly stickyTarget?: string | undefined;
  /** For hash policies: an unsigned 32-bit number. @default that of the client's address */
  readonly hash?: number | undefined;
}

/**
 * The state of a target group at one moment. Frozen and replaced as a whole; every kernel of the data
 * plane reads the same snapshot.
 */
export interface TargetSnapshot {
  /** @returns a target that is not in `tried`, or undefined when there is none (left). */
  pick(tried: readonly Target[], client?: TargetClient): Target | undefined;
  /**
   * Whether traffic in progress on it may continue there; absent: it may. Used for UDP flows,
   * which have no end of their own.
   */
  holds?(target: Target): boolean;
  /** Why `pick([])` returns nothing: for the 503 and the log. */
  explainNone(): NoTarget;
}

/** Which answers of targets are not passed on, because another target may have a better one. */
export interface RetryRule {
  isFor(status: number): boolean;
  /** Maximum number of targets tried for one request before such an answer is passed on. @default that of the limits */
  readonly attempts?: number | undefined;
}

/** A request that waits for a target. */
export interface Waiter {
  /** Takes a target if there is one. @returns false when there is none: it goes on waiting, and nothing was done. */
  onTurn(): boolean;
  /** It does not wait any more: it is answered with 503. */
  onWaitEnd(why: NoTarget): void;
}

/** Where the requests of a group wait while none of its targets may take one. */
export interface TargetQueue {
  /** Whether nobody waits, so that a request which comes now need not queue. */
  readonly isEmpty: boolean;
  /** @returns why the request may not wait; undefined: it waits. The waiter is not called before this returns. */
  join(waiter: Waiter): NoTarget | undefined;
  /** Its request has ended. */
  leave(waiter: Waiter): void;
}

export interface TargetGroup {
  readonly name: string;
  /** @default a request for which no target is left is answered at once */
  readonly queue?: TargetQueue | undefined;
  /** Only for idempotent requests that can be sent again, within the retry budget. @default every answer is passed on */
  readonly retry?: RetryRule | undefined;
  snapshot(): TargetSnapshot;
}
