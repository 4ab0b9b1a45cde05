import type { Dispatcher } from 'undici';

/** Request options of undici 8 that older versions use with the same meaning. */
interface Known extends Dispatcher.DispatchOptions {
  readonly waitMs?: number;
  /** Undici refuses it by name unless it is 0: a caller that asks for redirects gets an error instead of silently none. */
  readonly maxRedirections?: number;
  readonly servername?: string;
}

/**
 * Copies, by name, the options of a request made by an older undici or by the `fetch` of Node.js. Written out, since that
 * takes a fraction of the time of a loop over the names.
 */
export function takenOver(given: Known): Dispatcher.DispatchOptions {
  return {
    path: given.path,
    method: given.method,
    body: given.body ?? undefined,
    headers: given.headers ?? undefined,
    query: given.query ?? undefined,
    idempotent: given.idempotent ?? undefined,
    blocking: given.blocking ?? undefined,
    upgrade: given.upgrade ?? undefined,
    headersTimeout: given.headersTimeout ?? undefined,
    bodyTimeout: given.bodyTimeout ?? undefined,
    reset: given.reset ?? undefined,
    expectContinue: given.expectContinue ?? undefined,
    servername: given.servername ?? undefined,
    typeOfService: given.typeOfService ?? undefined,
    waitMs: given.waitMs ?? undefined,
    maxRedirections: given.maxRedirections ?? undefined,
  } as Dispatcher.DispatchOptions;
}
