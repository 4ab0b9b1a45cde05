import type { RequestView } from './router.ts';
import type { Target } from './target.ts';

/** One request and what became of it. Valid during the call only: copy what is to be kept. */
export interface ExchangeRecord extends RequestView {
  /** 499: the client went away first. */
  readonly status: number;
  /** Empty when all went well, else why not (`upstream_timeout`, `client_closed`, ...). */
  readonly reason: string;
  /** For operators: more than a client may know of it, as far as there is more. */
  readonly detail: string;
  readonly group: string;
  /** The target that answered, or was tried last. */
  readonly finalTarget: Target | undefined;
  readonly attempts: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly minorVersion: number;
  /** From the complete head to the last byte handed to the client's connection. */
  readonly durationMs: number;
}

/**
 * - `answered`: a whole answer, whatever its status
 * - `cancelled`: the client went away; says nothing about the target
 * - `connect_failed`: not a byte was sent
 * - `failed`: closed early or broke the protocol
 * - `not_tried`: this machine could not open a connection; says nothing about the target
 * - `timed_out`: silent beyond its time
 */
export type TargetOutcome =
  | 'answered'
  | 'cancelled'
  | 'connect_failed'
  | 'failed'
  | 'not_tried'
  | 'timed_out';

/** Hooks on the hot path: plain calls, never awaited, must not throw. */
export interface Observer {
  onResponse(record: ExchangeRecord): void;
  /** Once for each attempt on a target; `status` is 0 when no answer came. */
  onTargetResult(target: Target, outcome: TargetOutcome, result: TargetResult): void;
}

/** Used again for each result. */
export interface TargetResult {
  readonly status: number;
  readonly durationMs: number;
  /** The system's or the data plane's word for what went wrong; empty when answered. */
  readonly reason: string;
}
