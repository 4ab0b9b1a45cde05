import type { FailureKind } from '@rollcall/balancing';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../error.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import {
  isCallerFault,
  isDeath,
  isIdempotent,
  isRefusal,
  isLocalFault,
  isReplayable,
} from './request-fault.ts';

/** What a call needs of those who sent it. */
export interface CallOwner {
  /** `namespace/service`, for messages. */
  readonly label: string;
  readonly maxTries: number;
  /** Another channel than those tried; undefined when there is none. */
  pickOther(tried: readonly EndpointChannel[]): EndpointChannel | undefined;
  /** Does something after so many ms. */
  later(ms: number, act: () => void): void;
  /** Takes one retry out of the budget; false when it is spent. */
  takeRetry(): boolean;
  failed(channel: EndpointChannel, kind: FailureKind): void;
  succeeded(channel: EndpointChannel): void;
  /** The call ended without an answer. */
  gaveUp(): void;
}

/**
 * A connection that is refused costs no time and does nothing: when half of a service dies at once, as many as this are
 * passed over for each try that is allowed.
 */
const REFUSALS_PER_TRY = 4;

/**
 * Two connections that died one after the other: much is dying. By so much later, in ms, the registry has told who, and
 * the last try goes to one that lives.
 */
const LAST_TRY_MS = 25;

/** What tells a call from one that is over: nothing may be called back any more. */
type Phase = 'trying' | 'answering' | 'over';

/**
 * One call, over all its tries. It stands between undici and the caller's handler: as the handler of
 * each try, and as the one controller that the caller's handler sees, so a call costs one object.
 *
 * A try that ended before its request was written may be repeated always; one that died after, only
 * when the request is idempotent and its body can be sent again; never once an answer has begun.
 */
export class Call implements Dispatcher.DispatchHandler, Dispatcher.DispatchController {
  readonly #owner: CallOwner;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  #channel: EndpointChannel | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #tried: EndpointChannel[] | undefined;
  #phase: Phase = 'trying';
  /** The caller's handler has been told of the start. */
  #isAnnounced = false;
  /** Some try got as far as writing: a server may have acted. */
  #wasSent = false;
  #reason: Error | null = null;
  /** Tries that took a connection, or time. */
  #costlyTries = 0;

  constructor(
    owner: CallOwner,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#owner = owner;
    this.#options = options;
    this.#handler = handler;
  }

  /** Tries the call on a channel. Answers as undici's dispatch: false when the connections are busy. */
  send(channel: EndpointChannel): boolean {
    this.#channel = channel;
    channel.inFlight++;
    const { body } = this.#options;
    if (typeof body !== 'function') return channel.pool.dispatch(this.#options, this);
    const create = body as () => Dispatcher.DispatchOptions['body'];
    return channel.pool.dispatch({ ...this.#options, body: create() ?? null }, this);
  }

  /** Ends the call without a try. */
  fail(error: Error): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#handler.onResponseError?.(this, error);
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#controller = controller;
    if (this.#phase === 'over') {
      controller.abort(this.#reason ?? new RollcallError('closed', 'the call is over'));
      return;
    }
    if (this.#isAnnounced) {
      this.#wasSent = true;
      return;
    }
    this.#isAnnounced = true;
    this.#handler.onRequestStart?.(this, context);
    this.#wasSent = !controller.aborted;
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (statusCode >= 200) {
      this.#phase = 'answering';
      const channel = this.#channel!;
      if (statusCode >= 500) this.#owner.failed(channel, 'call');
      else if (channel.hasFailed) this.#owner.succeeded(channel);
    }
    this.#handler.onResponseStart?.(this, statusCode, headers, statusMessage);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(this, chunk);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#leave();
    this.#phase = 'over';
    this.#handler.onResponseEnd?.(this, trailers);
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#leave();
    this.#phase = 'over';
    this.#handler.onRequestUpgrade?.(this, statusCode, headers, socket);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const channel = this.#leave();
    const wasStarted = this.#controller !== undefined;
    this.#controller = undefined;
    if (this.#phase === 'over' || channel === undefined) return;
    if (this.#reason !== null || isCallerFault(error)) {
      this.fail(error);
      return;
    }
    if (!isLocalFault(error)) this.#owner.failed(channel, wasStarted ? 'call' : 'connect');
    if (this.#phase === 'answering') {
      this.#owner.gaveUp();
      this.fail(error);
    } else if (!this.#sendElsewhere(channel, error, wasStarted)) {
      this.#owner.gaveUp();
      this.fail(this.#errorOf(channel, error));
    }
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  get paused(): boolean {
    return this.#controller?.paused ?? false;
  }

  get rawHeaders(): NonNullable<Dispatcher.DispatchController['rawHeaders']> | null {
    return this.#controller?.rawHeaders ?? null;
  }

  get rawTrailers(): NonNullable<Dispatcher.DispatchController['rawTrailers']> | null {
    return this.#controller?.rawTrailers ?? null;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  /** Between two tries there is no connection to abort: the call is over, and so is the try as soon as it starts. */
  abort(reason: Error): void {
    if (this.#phase === 'over' || this.#reason !== null) return;
    this.#reason = reason;
    if (this.#controller === undefined) this.fail(reason);
    else this.#controller.abort(reason);
  }

  /** The try is over: its channel has one call less. */
  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel !== undefined) channel.inFlight--;
    return channel;
  }

  #sendElsewhere(channel: EndpointChannel, error: Error, wasStarted: boolean): boolean {
    const tried = (this.#tried ??= []);
    const isRepeat = tried.includes(channel);
    tried.push(channel);
    if (wasStarted || !isRefusal(error)) this.#costlyTries++;
    const { maxTries } = this.#owner;
    const isEnough = this.#costlyTries >= maxTries || tried.length >= maxTries * REFUSALS_PER_TRY;
    if (isEnough || !this.#mayRepeat(error, wasStarted)) return false;
    // With no other endpoint, one whose connection died may still be there: a server may end an idle
    // connection just as a request is written to it.
    const pick = () =>
      this.#owner.pickOther(tried) ?? (wasStarted && !isRepeat ? channel : undefined);
    const other = pick();
    if (other === undefined || !this.#owner.takeRetry()) return false;
    const isLast = this.#costlyTries > 1 && this.#costlyTries === maxTries - 1;
    if (isLast) this.#owner.later(LAST_TRY_MS, () => this.#sendLast(pick() ?? other));
    else this.send(other);
    return true;
  }

  #sendLast(channel: EndpointChannel): void {
    if (this.#phase !== 'over') this.send(channel);
  }

  #mayRepeat(error: Error, wasStarted: boolean): boolean {
    if (!isReplayable(this.#options.body, this.#wasSent)) return false;
    if (!wasStarted) return true;
    return isDeath(error) && isIdempotent(this.#options);
  }

  #errorOf(channel: EndpointChannel, error: Error): RollcallError {
    const { method, path } = this.#options;
    const { instance, address, port } = channel.endpoint;
    const where = `instance ${instance} at ${address}:${port}`;
    const tries = this.#tried?.length ?? 1;
    const call = `${method} ${path} of ${this.#owner.label}`;
    const why = `${error.message || error.name} (${where}, try ${tries})`;
    return this.#wasSent
      ? new RollcallError('response_lost', `${call} got no answer: ${why}`, {
          mayHaveBeenProcessed: true,
          cause: error,
        })
      : new RollcallError('connect_failed', `${call} could not be sent: ${why}`, { cause: error });
  }
}
