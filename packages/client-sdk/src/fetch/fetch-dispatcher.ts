import type { Dispatcher } from 'undici';
import { isIdempotent } from '../calls/request-fault.ts';
import { asError } from '../calls/call-error.ts';
import { RollcallError } from '../base/error.ts';
import { type AnyHandler, tellError } from '../undici/legacy-handler.ts';
import { globalDispatcherFor } from './global-dispatcher.ts';

/** Largest body that is buffered so that it can be sent again, in bytes. */
const MAX_KEPT_BYTES = 8 * 2 ** 20;

export interface FetchTargets {
  /** Origin of the service. */
  readonly origin: string;
  /** `namespace/service`, for messages. */
  readonly label: string;
  readonly service: Dispatcher;
  /** The caller gave the complete body, not a stream. */
  readonly isStatic: boolean;
  /** The options of a request to a service, with what the fetch was given for it. */
  settle(options: Dispatcher.DispatchOptions, isOther: boolean): Dispatcher.DispatchOptions;
  /** Whether an origin is one of the service's own instances. */
  isInstance(origin: string): boolean;
  /** The dispatcher of another service; undefined for any other host. Throws on a host that is neither. */
  reach(origin: string): Dispatcher | undefined;
}

/**
 * Routes the requests of a fetch: those for the service go to the service, those after a redirect to another host go
 * there. A body goes only to the service and its instances.
 */
export class FetchDispatcher implements Pick<Dispatcher, 'dispatch'> {
  readonly #targets: FetchTargets;

  constructor(targets: FetchTargets) {
    this.#targets = targets;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: AnyHandler): boolean {
    const { origin, service, isStatic } = this.#targets;
    const asked = typeof options.origin === 'string' ? options.origin : options.origin?.origin;
    if (asked !== origin) return this.#elsewhere(asked ?? '', options, handler);
    const own = this.#targets.settle(options, false);
    if (!isStatic || !isIdempotent(own) || !isKeepable(own)) return service.dispatch(own, handler);
    void this.#dispatchKept(own, handler);
    return true;
  }

  /** The fetch has turned the body into a stream, which could be sent only once. */
  async #dispatchKept(options: Dispatcher.DispatchOptions, handler: AnyHandler): Promise<void> {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of options.body as unknown as AsyncIterable<Uint8Array>)
        chunks.push(chunk);
      this.#targets.service.dispatch({ ...options, body: Buffer.concat(chunks) }, handler);
    } catch (error) {
      tellError(handler, asError(error));
    }
  }

  #elsewhere(asked: string, options: Dispatcher.DispatchOptions, handler: AnyHandler): boolean {
    const { label } = this.#targets;
    try {
      const isOwn = this.#targets.isInstance(asked);
      if (!isOwn && options.body !== undefined && options.body !== null)
        throw new RollcallError(
          'invalid_host',
          `${label} redirected a request with a body to ${asked}: it is not sent to another host`,
        );
      const other = isOwn ? undefined : this.#targets.reach(asked);
      if (other !== undefined) return other.dispatch(this.#targets.settle(options, true), handler);
      return globalDispatcherFor(handler).dispatch(options, handler);
    } catch (error) {
      tellError(handler, asError(error));
      return false;
    }
  }
}

/** Whether the body is a stream that is known to be small enough. */
function isKeepable({ body, headers }: Dispatcher.DispatchOptions): boolean {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return false;
  const length = [...headerPairs(headers)].find(
    ([name]) => name.toLowerCase() === 'content-length',
  );
  return length !== undefined && Number(length[1]) <= MAX_KEPT_BYTES;
}

function* headerPairs(headers: Dispatcher.DispatchOptions['headers']): Iterable<[string, unknown]> {
  if (headers === undefined || headers === null) return;
  if (!Array.isArray(headers) && !(Symbol.iterator in headers)) {
    yield* Object.entries(headers);
    return;
  }
  const flat = [...(headers as Iterable<unknown>)];
  if (Array.isArray(flat[0])) yield* flat as [string, unknown][];
  else for (let at = 0; at < flat.length; at += 2) yield [String(flat[at]), flat[at + 1]];
}
