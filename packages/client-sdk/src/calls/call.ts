import type { FailureKind } from '@rollcall/balancing';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import { watchBody } from './body-watch.ts';
import { abortReasonOf, asError, lostError } from './call-error.ts';
import { CallerSide } from './caller-side.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import type { UnreadBodies } from './unread-bodies.ts';
import {
  isCallerFault,
  isDeath,
  isIdempotent,
  isInstanceFault,
  isLocalFault,
  isRefusal,
  isReplayable,
} from './request-fault.ts';

/** What a call needs of those who sent it. */
export interface CallOwner {
  /** `namespace/service`, for messages. */
  readonly label: string;
  readonly maxTries: number;
  readonly unread: UnreadBodies;
  /** Another channel than those tried; undefined when there is none. */
  pickOther(tried: readonly EndpointChannel[]): EndpointChannel | undefined;
  /** Does something after so many ms. */
  later(ms: number, act: () => void): void;
  /** Takes one retry out of the budget; false when it is spent. */
  takeRetry(): boolean;
  failed(channel: EndpointChannel, kind: FailureKind): void;
  answered(channel: EndpointChannel, statusCode: number): void;
  /** The call ended without an answer. */
  gaveUp(): void;
  /** The caller's handler threw where nobody waits for an answer any more. */
  warn(message: string, error: unknown): void;
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

type Body = Dispatcher.DispatchOptions['body'];

/**
 * One call, over all its tries. It stands between undici and the caller's handler: as the handler of
 * each try, and as the one controller that the caller's handler sees, so a call costs one object.
 *
 * A try that ended before its request was written may be repeated always; one that died after, only
 * when the request is idempotent and its body can be sent again; never once an answer has begun.
 *
 * The handler is told of the end exactly once, whatever throws on the way: an instance, undici, the body, or the
 * handler itself.
 */
export class Call extends CallerSide implements Dispatcher.DispatchHandler {
  /** What the call waits by while there is no endpoint; aborted when the call is. */
  waiting: AbortController | undefined;
  readonly #owner: CallOwner;
  readonly #options: Dispatcher.DispatchOptions;
  #channel: EndpointChannel | undefined;
  /** That of a try which was given up before it had a connection: it may still turn out to have none. */
  #abandoned: EndpointChannel | undefined;
  #tried: EndpointChannel[] | undefined;
  /** Some try got as far as writing: a server may have acted. */
  #wasSent = false;
  /** Tries that took a connection, or time. */
  #costlyTries = 0;

  constructor(
    owner: CallOwner,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    super(handler);
    this.#owner = owner;
    this.#options = options;
  }

  protected get label(): string {
    return this.#owner.label;
  }

  /** Tries the call on a channel. Answers as undici's dispatch: false when the connections are busy. */
  send(channel: EndpointChannel): boolean {
    this.#channel = channel;
    channel.begin();
    const { body } = this.#options;
    try {
      if (typeof body !== 'object' && typeof body !== 'function')
        return channel.pool.dispatch(this.#options, this);
      const prepared = this.#bodyOf(body);
      return this.#channel === undefined || channel.pool.dispatch(prepared, this);
    } catch (error) {
      this.onResponseError(null, asError(error));
      return true;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.phase === 'over') {
      controller.abort(this.reason ?? new RollcallError('closed', 'the call is over'));
      return;
    }
    this.#wasSent = true;
    if (this.paused) controller.pause();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (statusCode >= 200) {
      this.phase = 'answering';
      this.#owner.answered(this.#channel!, statusCode);
    }
    try {
      this.handler.onResponseStart?.(this, statusCode, headers, statusMessage);
    } catch (error) {
      this.breakOff(error);
    }
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#leave();
    this.phase = 'over';
    try {
      this.handler.onResponseEnd?.(this, trailers);
    } catch (error) {
      this.tell(asError(error));
    }
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#leave();
    this.phase = 'over';
    try {
      this.handler.onRequestUpgrade?.(this, statusCode, headers, socket);
    } catch (error) {
      socket.destroy();
      this.tell(asError(error));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const channel = this.#leave();
    const wasStarted = this.controller !== undefined;
    this.controller = undefined;
    if (this.phase === 'over') this.#blameAbandoned(error, wasStarted);
    if (this.phase === 'over' || channel === undefined) return;
    if (this.phase === 'broken' || this.reason !== null || isCallerFault(error)) {
      this.fail(error);
      return;
    }
    if (wasStarted ? isInstanceFault(error) : !isLocalFault(error))
      this.#owner.failed(channel, wasStarted ? 'call' : 'connect');
    try {
      if (this.phase === 'trying' && this.#wentElsewhere(channel, error, wasStarted)) return;
      this.#owner.gaveUp();
      this.fail(this.phase === 'answering' ? error : this.#errorOf(channel, error));
    } catch (thrown) {
      this.fail(asError(thrown));
    }
  }

  /** Without a connection there is nothing to abort: the call is over, and so is the try as soon as it starts. */
  abort(reason?: Error): void {
    if (this.phase === 'over' || this.reason !== null) return;
    this.reason = abortReasonOf(reason);
    this.waiting?.abort();
    if (this.controller === undefined) {
      this.#abandoned = this.#leave();
      this.fail(this.reason);
    } else this.controller.abort(this.reason);
  }

  protected onHeldBack(isHeldBack: boolean): void {
    if (isHeldBack) this.#owner.unread.add(this);
    else this.#owner.unread.delete(this);
  }

  protected warn(message: string, error: unknown): void {
    this.#owner.warn(message, error);
  }

  /** The body as this try sends it. Ends the call when there is none to send. */
  #bodyOf(body: unknown): Dispatcher.DispatchOptions {
    try {
      const made = typeof body === 'function' ? ((body() as unknown) ?? null) : body;
      const watched = watchBody(made, (error) => this.#bodyFailed(error));
      if (watched === this.#options.body) return this.#options;
      return { ...this.#options, body: (watched ?? null) as NonNullable<Body> };
    } catch (error) {
      this.#bodyFailed(error);
      return this.#options;
    }
  }

  /** Undici ends a try that has a connection by itself. */
  #bodyFailed(error: unknown): void {
    if (this.phase === 'over') return;
    this.phase = 'broken';
    if (this.controller !== undefined) return;
    const channel = this.#leave();
    const isLost = this.#wasSent && channel !== undefined;
    this.fail(isLost ? this.#errorOf(channel, asError(error)) : asError(error));
  }

  /** Whoever aborts has not made a host reachable: only those who wait longer than callers do would learn of it. */
  #blameAbandoned(error: Error, wasStarted: boolean): void {
    const channel = this.#abandoned;
    this.#abandoned = undefined;
    if (channel === undefined || wasStarted || isCallerFault(error) || isLocalFault(error)) return;
    this.#owner.failed(channel, 'connect');
  }

  /** The try is over: its channel has one call less. */
  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    if (this.paused) this.#owner.unread.delete(this);
    channel?.end();
    return channel;
  }

  #wentElsewhere(channel: EndpointChannel, error: Error, wasStarted: boolean): boolean {
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
    if (isLast) this.#owner.later(LAST_TRY_MS, () => this.#sendLast(pick, other));
    else this.send(other);
    return true;
  }

  #sendLast(pick: () => EndpointChannel | undefined, other: EndpointChannel): void {
    try {
      if (this.phase !== 'over') this.send(pick() ?? other);
    } catch (error) {
      this.fail(asError(error));
    }
  }

  #mayRepeat(error: Error, wasStarted: boolean): boolean {
    if (!isReplayable(this.#options.body, this.#wasSent)) return false;
    if (!wasStarted) return true;
    return isDeath(error) && isIdempotent(this.#options);
  }

  #errorOf(channel: EndpointChannel, error: Error): RollcallError {
    const { method, path } = this.#options;
    return lostError(error, {
      // A query may hold what is nobody else's business.
      call: `${method} ${path.replace(/[?#].*/s, '')} of ${this.#owner.label}`,
      endpoint: channel.endpoint,
      tries: this.#tried?.length ?? 1,
      wasSent: this.#wasSent,
    });
  }
}
