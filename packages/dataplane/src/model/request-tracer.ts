import type { ExchangeRecord, TargetOutcome, TargetResult } from './observer.ts';
import type { RequestLine } from './router.ts';
import type { Target } from './target.ts';

/** One request in a trace. Hooks on the hot path: plain calls that are never awaited and must not throw. */
export interface RequestTrace {
  /**
   * A try begins, the `resends`-th after the first one. Returns the header fields that this try carries in place of those
   * that the tracer names: visible ASCII only, others are left out.
   */
  onTry(target: Target, resends: number): Readonly<Record<string, string>>;
  /** Called once for each try. `result` is valid only during the call. */
  onTryEnd(outcome: TargetOutcome, result: TargetResult): void;
  /** Called once, after all tries. `record` is valid only during the call. */
  onEnd(record: ExchangeRecord): void;
}

/** Makes traces of requests: of all that have a valid head. */
export interface RequestTracer {
  /** Header fields that carry a trace, with lower-case names. */
  readonly fields: readonly string[];
  /** A request came in. `fields`: those of the tracer that it has; a field that came twice is joined with commas. */
  onRequest(request: RequestLine, fields: Readonly<Record<string, string>>): RequestTrace;
}
