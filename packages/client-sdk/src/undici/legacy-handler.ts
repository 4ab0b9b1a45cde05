import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';

/** Callbacks of a handler in undici 6 and 7, and so of the `fetch` of Node.js 22 and 24. */
export interface LegacyCallbacks {
  onConnect?(abort: (reason?: Error) => void, context: unknown): void;
  onUpgrade?(statusCode: number, rawHeaders: readonly Buffer[], socket: Duplex): void;
  onResponseStarted?(): void;
  /** Returning false requests a pause. */
  onHeaders?(
    statusCode: number,
    rawHeaders: readonly Buffer[],
    resume: () => void,
    statusMessage: string,
  ): boolean | void;
  onData?(chunk: Buffer): boolean | void;
  onComplete?(rawTrailers: readonly Buffer[]): void;
  onError?(error: Error): void;
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
}

/** Any handler that a dispatcher can receive. */
export type AnyHandler = Dispatcher.DispatchHandler | LegacyCallbacks;

export const isLegacy = (handler: AnyHandler): handler is LegacyCallbacks =>
  typeof (handler as Dispatcher.DispatchHandler).onRequestStart !== 'function';

/** What undici passes to the handler of a request that never started. */
const NO_CONTROLLER = null as unknown as Dispatcher.DispatchController;

/** Ends a request that no dispatcher has accepted. */
export function tellError(handler: AnyHandler, error: Error): void {
  if (isLegacy(handler)) handler.onError?.(error);
  else handler.onResponseError?.(NO_CONTROLLER, error);
}

/** The handler in the form of undici 8. Throws a TypeError for an invalid handler. */
export function modernHandler(given: AnyHandler): Dispatcher.DispatchHandler {
  const modern: Dispatcher.DispatchHandler = given;
  if (typeof modern.onRequestStart === 'function' && typeof modern.onResponseError === 'function')
    return modern;
  const legacy: LegacyCallbacks = given;
  if (typeof legacy.onConnect === 'function' && typeof legacy.onError === 'function')
    return new LegacyHandler(legacy);
  throw new TypeError(
    'expected a handler with onRequestStart and onResponseError, or with onConnect and onError',
  );
}

/** Adapts a handler of an older undici to the handler API of undici 8. */
class LegacyHandler implements Dispatcher.DispatchHandler {
  readonly #callbacks: LegacyCallbacks;

  constructor(callbacks: LegacyCallbacks) {
    this.#callbacks = callbacks;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#callbacks.onConnect?.((reason) => controller.abort(reason as Error), context);
  }

  onRequestUpgrade(
    { rawHeaders }: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#callbacks.onUpgrade?.(statusCode, rawOf(rawHeaders, headers), socket);
  }

  onResponseStarted(): void {
    this.#callbacks.onResponseStarted?.();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage = '',
  ): void {
    const raw = rawOf(controller.rawHeaders, headers);
    const resume = () => controller.resume();
    if (this.#callbacks.onHeaders?.(statusCode, raw, resume, statusMessage) === false)
      controller.pause();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#callbacks.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(
    { rawTrailers }: Dispatcher.DispatchController,
    trailers: IncomingHttpHeaders,
  ): void {
    this.#callbacks.onComplete?.(rawOf(rawTrailers, trailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#callbacks.onError?.(error);
  }

  onBodySent(chunk: Buffer): void {
    this.#callbacks.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#callbacks.onRequestSent?.();
  }
}

/** Names and values alternately, in their raw form when it is known. */
function rawOf(
  raw: Dispatcher.DispatchController['rawHeaders'],
  parsed: IncomingHttpHeaders | undefined,
): readonly Buffer[] {
  const isRaw = Array.isArray(raw) && raw.every((part) => Buffer.isBuffer(part));
  if (isRaw) return raw;
  return Object.entries(parsed ?? {}).flatMap(([name, value]) =>
    [value ?? []]
      .flat()
      .flatMap((one) => [Buffer.from(name, 'latin1'), Buffer.from(one, 'latin1')]),
  );
}
