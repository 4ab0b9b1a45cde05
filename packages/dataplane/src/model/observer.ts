import type { RequestLine } from './router.ts';
import type { Target } from './target.ts';

/** One request and its result. Valid only during the call: copy what you want to keep. */
export interface ExchangeRecord extends RequestLine {
  /** 499: the client disconnected first. */
  readonly status: number;
  /** Empty on success, else the cause (`upstream_timeout`, `client_closed`, ...). */
  readonly reason: string;
  /** For operators: details that the client may not see, if there are any. */
  readonly detail: string;
  /** Name of the rule that took it; empty: none did. */
  readonly rule: string;
  readonly group: string;
  /** The target that answered, or that was tried last. */
  readonly finalTarget: Target | undefined;
  readonly attempts: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Those of them that are heads. */
  readonly responseHeadBytes: number;
  readonly minorVersion: number;
  /** Its id; empty if requests get none. */
  readonly requestId: string;
  /** The values of the fields that the server was told to keep, in that order; empty if it has no valid head. */
  readonly keptFields: readonly (string | undefined)[];
  /** From the complete head to the last byte passed to the client's connection. */
  readonly durationMs: number;
}

/**
 * - `answered`: a complete response, whatever its status
 * - `cancelled`: the client disconnected; says nothing about the target
 * - `connect_failed`: no byte was sent
 * - `failed`: closed early or broke the protocol
 * - `not_tried`: this machine could not open a connection; says nothing about the target
 * - `timed_out`: silent for too long
 */
export type TargetOutcome =
  | 'answered'
  | 'cancelled'
  | 'connect_failed'
  | 'failed'
  | 'not_tried'
  | 'timed_out';

/** Hooks on the hot path: plain calls that are never awaited and must not throw. */
export interface Observer {
  onResponse(record: ExchangeRecord): void;
  /** Called once for each attempt on a target; `status` is 0 when no response came. */
  onTargetResult(target: Target, outcome: TargetOutcome, result: TargetResult): void;
}

/** Reused for each result. */
export interface TargetResult {
  readonly status: number;
  readonly durationMs: number;
  /** Error code of the system or the data plane; empty when answered. */
  readonly reason: string;
}
