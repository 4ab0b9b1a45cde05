import type { Endpoint } from '@rollcall/contract';
import { RollcallError } from '../base/error.ts';

/** What was thrown, as an error: anything can be thrown. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });

/** What an aborted call fails with: what the caller gave, or what a signal would. */
export const abortReasonOf = (given: unknown): Error =>
  (given as Error | undefined) ?? new DOMException('This operation was aborted', 'AbortError');

export interface LastTry {
  /** `GET /path of namespace/service`. */
  readonly call: string;
  readonly endpoint: Endpoint;
  readonly tries: number;
  /** Some try got as far as writing. */
  readonly wasSent: boolean;
}

/** The error of a call whose last try failed: who was asked, how often, and whether anybody may have acted on it. */
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
