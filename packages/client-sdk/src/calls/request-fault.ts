import { isReadable, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/** The caller's own mistakes: no endpoint is to blame, and another endpoint would not help. */
const CALLER_FAULTS = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_ABORTED',
]);

/** This machine ran out of a resource, or the client was closed: no endpoint is to blame. */
const LOCAL_FAULTS = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

/** The connection ended during the request, as it does when an instance dies. */
const DEATHS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED', 'ENETDOWN']);

/** Code of the error of a try that was given up because the head of its answer took too long. */
export const TRY_TIMEOUT = 'ROLLCALL_TRY_TIMEOUT';

/** Other faults that an instance, its host or the network can cause while a request is in progress. */
const INSTANCE_FAULTS = new Set([
  TRY_TIMEOUT,
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPROTO',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Methods that may be repeated (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? '';

export const isCallerFault = (error: Error): boolean =>
  // Wrong options of a request, such as a local address that is none.
  CALLER_FAULTS.has(codeOf(error)) || /^ERR_(INVALID|OUT_OF_RANGE|SOCKET_BAD)/.test(codeOf(error));

export const isLocalFault = (error: Error): boolean => LOCAL_FAULTS.has(codeOf(error));

/** Nothing listens there, or the address is not valid. */
export const isRefusal = (error: Error): boolean =>
  codeOf(error) === 'ECONNREFUSED' || codeOf(error) === 'connect_failed';

/**
 * Whether only the other side can cause this failure of a request in progress; any other failure may be the caller's.
 */
export const isInstanceFault = (error: Error): boolean => {
  const code = codeOf(error);
  const isGarbage = code.startsWith('HPE_') || error.name === 'HTTPParserError';
  return DEATHS.has(code) || INSTANCE_FAULTS.has(code) || isGarbage;
};

export const isTryTimeout = (error: Error): boolean => codeOf(error) === TRY_TIMEOUT;

export const isDeath = (error: Error): boolean => DEATHS.has(codeOf(error));

/**
 * Whether the request may be sent again although a server may have processed it. The caller's `idempotent` option
 * overrides the method.
 */
export function isIdempotent({ method, idempotent }: Dispatcher.DispatchOptions): boolean {
  return idempotent ?? IDEMPOTENT.has(method);
}

/**
 * Whether the body can be sent again from its start. `wasSent`: a connection has started to send the request; a stream
 * that no connection has read yet is still complete.
 */
export function isReplayable(body: unknown, wasSent: boolean): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true;
  if (typeof body === 'function' || ArrayBuffer.isView(body)) return true;
  if (wasSent) return false;
  const stream = body as Readable;
  if (typeof stream.pipe !== 'function') return true;
  return !Readable.isDisturbed(stream) && isReadable(stream) !== false;
}
