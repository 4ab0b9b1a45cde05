import type { Endpoint } from '@rollcall/contract';
import { RollcallError } from '../base/error.ts';

/** Converts a thrown value to an Error: JavaScript can throw anything. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });

/** The error of an aborted call: the caller's reason, or the default reason of an AbortSignal. */
export const abortReasonOf = (given: unknown): Error =>
  (given as Error | undefined) ?? new DOMException('This operation was aborted', 'AbortError');

export interface LastTry {
  /** `GET /path of namespace/service`. */
  readonly call: string;
  readonly endpoint: Endpoint;
  readonly tries: number;
  /** At least one try started to write its request. */
  readonly wasSent: boolean;
}

/**
 * The error of a call whose last try failed. It tells which endpoint was tried, how often, and whether an instance may
 * have processed the request.
 */
export function lostError(
  error: Error,
  { call, endpoint, tries, wasSent }: LastTry,
): RollcallError {
  const { instance, address, port } = endpoint;
  const where = `instance ${instance} at ${address}:${port}`;
  const why = `${error.message || error.name} (${where}, try ${tries})`;
  return wasSent
    ? new RollcallError('response_lost', `${call} got no answer: ${why}`, {
        mayHaveBeenProcessed: true,
        cause: error,
      })
    : new RollcallError('connect_failed', `${call} could not be sent: ${why}`, { cause: error });
}
