import { PoolTarget } from '@rollcall/balancing';

/** Plain numbers, written by the data plane and read by whoever shows them. */
export interface TargetCounters {
  requests: number;
  /** Attempts that ended without a complete answer, connect failures among them. */
  failures: number;
  connectFailures: number;
  connections: number;
}

export function createTargetCounters(): TargetCounters {
  return { requests: 0, failures: 0, connectFailures: 0, connections: 0 };
}

/**
 * Something that takes traffic. Its identity is the object: the pool of connections hangs on it, so an owner keeps one
 * object for as long as the same process stands behind it, and makes a new one when another takes its place.
 */
export interface Target {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly counters: TargetCounters;
  /** Requests (or connections, or flows, for byte kernels) under way now. */
  readonly inFlight: number;
  /** One more is under way; whoever calls it calls {@link end} once. */
  begin(): void;
  end(): void;
}

/** An endpoint as a target of pools. */
export class EndpointTarget extends PoolTarget implements Target {
  readonly counters = createTargetCounters();
}

export interface NoTarget {
  readonly code: string;
  /** For everybody. */
  readonly detail: string;
  /** For the log: names, addresses, errors. */
  readonly cause?: string;
}

/** Who asks for a target. Schedulers by hash and the affinity of clients go by it. */
export interface TargetClient {
  readonly clientAddress: string;
}

/** One moment of a target group. Frozen and replaced whole; every kernel of the data plane reads the same one. */
export interface TargetSnapshot {
  /** @returns a target that is not among `tried`, or undefined when there is none (left). */
  pick(tried: readonly Target[], client?: TargetClient): Target | undefined;
  /** Whether what is under way on it may go on there; absent: it may. Asked for UDP flows, which have no end of their own. */
  holds?(target: Target): boolean;
  /** Why `pick([])` answers nothing: for the 503 and the log. */
  explainNone(): NoTarget;
}

export interface TargetGroup {
  readonly name: string;
  snapshot(): TargetSnapshot;
}
