import type { FailureKind } from '@rollcall/balancing';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { RequestTrace } from '../diagnostics/request-trace.ts';
import { watchBody } from './body-watch.ts';
import { abortReasonOf, asError, lostError } from './call-error.ts';
import { CallerSide } from './caller-side.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import { Tries } from './tries.ts';
import type { UnreadBodies } from './unread-bodies.ts';
import {
  isCallerFault,
  isDeath,
  isIdempotent,
  isInstanceFault,
  isLocalFault,
  isReplayable,
} from './request-fault.ts';

/** What a call needs from the dispatcher that started it. */
export interface CallOwner {
  /** `namespace/service`, for messages. */
  readonly label: string;
  readonly maxTries: number;
  readonly unread: UnreadBodies;
  /** A channel other than those tried; undefined when there is none. */
  pickOther(tried: readonly EndpointChannel[]): EndpointChannel | undefined;
  /** Monotonic, in ms. */
  nowMs(): number;
  /** Runs `act` after `ms`. */
  later(ms: number, act: () => void): void;
  /** Takes one retry from the budget; false when the budget is empty. */
  takeRetry(): boolean;
  /** `hasAnswered`: the head of the answer had come, and the call is counted already. */
  failed(channel: EndpointChannel, kind: FailureKind, hasAnswered?: boolean): void;
  /** The head of an answer came `latencyMs` after the try began. */
  answered(channel: EndpointChannel, statusCode: number, latencyMs: number): void;
  /** The call ended without a response. */
  gaveUp(): void;
  /** The caller's handler threw when no response was awaited any more. */
  warn(message: string, error: unknown): void;
}

/**
 * Delay before the last try, in ms. Two dead connections in a row suggest a larger outage; by then the registry has
 * usually reported the dead endpoints, so the last try goes to a live one.
 */
const LAST_TRY_MS = 25;

type Body = Dispatcher.DispatchOptions['body'];

/**
 * One call, over all its tries. It stands between undici and the caller's handler: it is the handler of each try and
 * the only controller that the caller's handler sees, so a call costs one object.
 *
 * A try that failed before its request was written may always be repeated. A try that failed later may be repeated only
 * when the request is idempotent and its body can be sent again. No try is repeated once a response has begun.
 *
 * The handler learns of the end exactly once, whatever throws on the way: an instance, undici, the body, or the handler
 * itself.
 */
export class Call extends CallerSide implements Dispatcher.DispatchHandler {
  /** Aborts the wait for an endpoint when the call is aborted. */
  waiting: AbortController | undefined;
  /** Told what becomes of it, if somebody listens. */
  trace: RequestTrace | undefined;
  readonly #owner: CallOwner;
  readonly #options: Dispatcher.DispatchOptions;
  #channel: EndpointChannel | undefined;
  /** Channel of a try that was aborted before it had a connection: the connect may still fail later. */
  #abandoned: EndpointChannel | undefined;
  #tries: Tries | undefined;
  /** At least one try started to write: a server may have processed the request. */
  #wasSent = false;
  /** When the try began. */
  #sentMs = 0;

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

  /** Tries the call on a channel. Returns what undici's dispatch returns: false when the connections are busy. */
  send(channel: EndpointChannel): boolean {
    this.#channel = channel;
    this.trace?.tried(channel.endpoint);
    this.#sentMs = this.#owner.nowMs();
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
      this.trace?.answered(statusCode);
      this.#owner.answered(this.#channel!, statusCode, this.#owner.nowMs() - this.#sentMs);
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
    this.trace?.ended();
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
    this.trace?.answered(statusCode);
    this.trace?.ended();
    try {
      this.handler.onRequestUpgrade?.(this, statusCode, headers, socket);
    } catch (error) {
      socket.destroy();
      this.tell(asError(error));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const channel = this.#leave();
    this.trace?.failedTry(error);
    const wasStarted = this.controller !== undefined;
    this.controller = undefined;
    if (this.phase === 'over') this.#blameAbandoned(error, wasStarted);
    if (this.phase === 'over' || channel === undefined) return;
    if (this.phase === 'broken' || this.reason !== null || isCallerFault(error)) {
      this.fail(error);
      return;
    }
    if (wasStarted ? isInstanceFault(error) : !isLocalFault(error))
      this.#owner.failed(channel, wasStarted ? 'call' : 'connect', this.phase === 'answering');
    try {
      if (this.phase === 'trying' && this.#wentElsewhere(channel, error, wasStarted)) return;
      this.#owner.gaveUp();
      this.fail(this.phase === 'answering' ? error : this.#errorOf(channel, error));
    } catch (thrown) {
      this.fail(asError(thrown));
    }
  }

  override fail(error: Error): void {
    if (this.phase !== 'over') this.trace?.failed(error);
    super.fail(error);
  }

  /** Without a connection there is nothing to abort yet: the call ends now, and the try ends as soon as it starts. */
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

  /** Options with the body for this try. Ends the call when the body cannot be produced. */
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

  /** If the try has a connection, undici itself ends the try. */
  #bodyFailed(error: unknown): void {
    if (this.phase === 'over') return;
    this.phase = 'broken';
    if (this.controller !== undefined) return;
    const channel = this.#leave();
    const isLost = this.#wasSent && channel !== undefined;
    this.fail(isLost ? this.#errorOf(channel, asError(error)) : asError(error));
  }

  /**
   * An abort by the caller does not prove that the host is reachable. Without this, only callers that wait longer than
   * their timeout would discover an unreachable host.
   */
  #blameAbandoned(error: Error, wasStarted: boolean): void {
    const channel = this.#abandoned;
    this.#abandoned = undefined;
    if (channel === undefined || wasStarted || isCallerFault(error) || isLocalFault(error)) return;
    this.#owner.failed(channel, 'connect');
  }

  /** Ends the try: its channel has one call less. */
  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    if (this.paused) this.#owner.unread.delete(this);
    channel?.end();
    return channel;
  }

  #wentElsewhere(channel: EndpointChannel, error: Error, wasStarted: boolean): boolean {
    const tries = (this.#tries ??= new Tries(this.#owner.maxTries));
    const tried = tries.channels;
    const isRepeat = tried.includes(channel);
    tries.note(channel, error, wasStarted);
    if (tries.isEnough || !this.#mayRepeat(error, wasStarted)) return false;
    // With no other endpoint left, retry the one whose connection died: a server may close an idle connection just as a
    // request is written to it.
    const pick = () =>
      this.#owner.pickOther(tried) ?? (wasStarted && !isRepeat ? channel : undefined);
    const other = pick();
    if (other === undefined || !this.#owner.takeRetry()) return false;
    if (tries.isNextLast) this.#owner.later(LAST_TRY_MS, () => this.#sendLast(pick, other));
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
      // A query string may contain secrets.
      call: `${method} ${path.replace(/[?#].*/s, '')} of ${this.#owner.label}`,
      endpoint: channel.endpoint,
      tries: this.#tries?.count ?? 1,
      wasSent: this.#wasSent,
    });
  }
}
