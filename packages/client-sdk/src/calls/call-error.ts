import type { Endpoint } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';

/** Converts a thrown value to an Error: JavaScript can throw anything. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });

/** The error of an aborted call: the caller's reason, or the default reason of an AbortSignal. */
export const abortReasonOf = (given: unknown): Error =>
  (given as Error | undefined) ?? new DOMException('This operation was aborted', 'AbortError');

/** For messages, without the query of its path, which may contain secrets. */
export const callName = (
  { method, path }: Pick<Dispatcher.DispatchOptions, 'method' | 'path'>,
  label: string,
): string => `${method} ${path.replace(/[?#].*/s, '')} of ${label}`;

export interface LastTry {
  /** `GET /path of namespace/service`. */
  readonly call: string;
  readonly endpoint: Endpoint;
  readonly tries: number;
  /** At least one try started to write its request. */
  readonly wasSent: boolean;
}

const placeOf = ({ instance, address, port }: Endpoint): string =>
  `instance ${instance} at ${address}:${port}`;

/**
 * The error of a call whose last try failed. It tells which endpoint was tried, how often, and whether an instance may
 * have processed the request.
 */
export function lostError(
  error: Error,
  { call, endpoint, tries, wasSent }: LastTry,
): RollcallError {
  const why = `${error.message || error.name} (${placeOf(endpoint)}, try ${tries})`;
  return wasSent
    ? new RollcallError('response_lost', `${call} got no answer: ${why}`, {
        mayHaveBeenProcessed: true,
        cause: error,
      })
    : new RollcallError('connect_failed', `${call} could not be sent: ${why}`, { cause: error });
}

/** Where a call is when its time is over. */
export interface Unfinished {
  /** `GET /path of namespace/service`. */
  readonly call: string;
  readonly limitMs: number;
  /** That of the try under way; undefined while there is none. */
  readonly endpoint: Endpoint | undefined;
  /** Of the try under way. */
  readonly progress: 'connecting' | 'sent' | 'answering';
  /** Tries that failed. */
  readonly failedTries: number;
  readonly wasSent: boolean;
  /** Why the last try failed. */
  readonly cause: Error | undefined;
}

const AWAITED = {
  connecting: 'a connection to',
  sent: 'the answer of',
  answering: 'the rest of the answer of',
} as const;

/** The error of a call that took longer than its time limit: what it was waiting for. */
export function timeoutError(unfinished: Unfinished): RollcallError {
  const { call, limitMs, endpoint, progress, failedTries, wasSent, cause } = unfinished;
  const next = failedTries === 0 ? 'an endpoint' : 'its next try';
  const awaited = endpoint === undefined ? next : `${AWAITED[progress]} ${placeOf(endpoint)}`;
  const tries = failedTries === 0 ? '' : ` (try ${failedTries + 1})`;
  return new RollcallError(
    'timeout',
    `${call} was not over within ${limitMs} ms: it waited for ${awaited}${tries}`,
    { mayHaveBeenProcessed: wasSent, cause },
  );
}
