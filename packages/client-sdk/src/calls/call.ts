import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import { addHeaders } from '../diagnostics/add-headers.ts';
import type { RequestTrace } from '../diagnostics/request-trace.ts';
import { withOwnBody } from './body-watch.ts';
import { abortReasonOf, asError, callName, lostError, timeoutError } from './call-error.ts';
import type { CallOwner } from './call-owner.ts';
import type { CallRules } from './call-rules.ts';
import { CallerSide } from './caller-side.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import { NextTry, type Plan } from './next-try.ts';
import { isCallerFault, isInstanceFault, isLocalFault, isTryTimeout } from './request-fault.ts';
import { watched } from './watched-try.ts';

const NOBODY: Dispatcher.DispatchHandler = Object.freeze({});
const NO_OPTIONS: Dispatcher.DispatchOptions = Object.freeze({ path: '', method: 'GET' });

/**
 * One call, over all its tries. It stands between undici and the caller's handler: it is the handler of each try and
 * the only controller that the caller's handler sees, so a call costs one object.
 *
 * No try is repeated once a response has begun, unless {@link CallRules} say so; which others are, {@link NextTry} decides.
 *
 * The handler learns of the end exactly once, whatever throws on the way: an instance, undici, the body, or the handler
 * itself.
 */
export class Call extends CallerSide implements Dispatcher.DispatchHandler {
  /** Ends the wait for an endpoint, or for the next try, when the call is aborted. */
  waiting: { abort(): void } | undefined;
  /** Told what becomes of it, if somebody listens. */
  trace: RequestTrace | undefined;
  rules: CallRules | undefined;
  /** When its time is over, if it has a limit. */
  deadlineMs: number | undefined;
  readonly #owner: CallOwner;
  #options: Dispatcher.DispatchOptions;
  #channel: EndpointChannel | undefined;
  /** Channel of a try that was aborted before it had a connection: the connect may still fail later. */
  #abandoned: EndpointChannel | undefined;
  #next: NextTry | undefined;
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
    const handler =
      this.rules === undefined ? this : watched(this, channel, this.#owner, this.rules);
    try {
      if (typeof body !== 'object' && typeof body !== 'function')
        return channel.pool.dispatch(addHeaders(this.#options, this.trace?.headers), handler);
      const own = withOwnBody(this.#options, (error) => this.#bodyFailed(error));
      const prepared = addHeaders(own, this.trace?.headers);
      return this.#channel === undefined || channel.pool.dispatch(prepared, handler);
    } catch (error) {
      handler.onResponseError(null, asError(error));
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
    this.#forget();
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
    if (wasStarted ? isInstanceFault(error) : !isLocalFault(error)) {
      const kind = wasStarted || isTryTimeout(error) ? 'call' : 'connect';
      this.#owner.failed(channel, kind, { error, isCounted: this.phase === 'answering' });
    }
    try {
      if (this.phase === 'trying' && this.#wentElsewhere(channel, error, wasStarted)) return;
      this.#owner.gaveUp();
      this.fail(this.phase === 'answering' ? error : this.#errorOf(channel, error));
    } catch (thrown) {
      this.fail(asError(thrown));
    }
  }

  /** Its answer has a status that asks for another try. @returns whether there is one, and this answer is none. */
  leavesAnswer(statusCode: number, headers: IncomingHttpHeaders): boolean {
    if (this.phase !== 'trying' || this.reason !== null) return false;
    const channel = this.#channel!;
    const nowMs = this.#owner.nowMs();
    const leftMs = (this.deadlineMs ?? Infinity) - nowMs;
    const error = new Error(`it answered ${statusCode}`);
    try {
      const plan = this.#nextTry.afterAnswer(channel, error, { headers, leftMs });
      if (plan === undefined) return false;
      this.trace?.answered(statusCode);
      this.trace?.failedTry(error);
      this.#owner.answered(channel, statusCode, nowMs - this.#sentMs);
      this.#leave();
      this.controller = undefined;
      this.#follow(plan);
      return true;
    } catch (thrown) {
      return this.breakOff(thrown);
    }
  }

  /** The time limit of the call is over. */
  timedOut(limitMs: number): void {
    if (this.phase === 'over' || this.reason !== null) return;
    if (this.phase !== 'answering') this.#owner.gaveUp();
    const { phase, controller } = this;
    const sent = controller === undefined ? 'connecting' : 'sent';
    const isUnplaced = this.#channel === undefined && this.#next === undefined;
    const unfinished = {
      call: callName(this.#options, this.label),
      limitMs,
      endpoint: this.#channel?.endpoint,
      progress: phase === 'answering' ? phase : sent,
      failedTries: this.#next?.count ?? 0,
      wasSent: this.#wasSent,
      cause: isUnplaced ? this.#owner.whyNone(this.rules?.endpoint) : this.#next?.last,
    } as const;
    this.abort(timeoutError(unfinished));
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
    this.#owner.failed(channel, 'connect', { error, isCounted: false });
  }

  /**
   * An answer that is kept keeps this call in memory, and those of fetch are, until V8 next collects the old generation:
   * undici registers them with a FinalizationRegistry. What served the call need not stay with it.
   */
  #forget(): void {
    this.controller = undefined;
    this.handler = NOBODY;
    this.#options = NO_OPTIONS;
  }

  /** Ends the try: its channel has one call less. */
  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    if (this.paused) this.#owner.unread.delete(this);
    channel?.end();
    return channel;
  }

  get #nextTry(): NextTry {
    return (this.#next ??= new NextTry(this.#owner, this.#options, this.rules));
  }

  #wentElsewhere(channel: EndpointChannel, error: Error, wasStarted: boolean): boolean {
    const wasSent = this.#wasSent;
    const plan = this.#nextTry.afterFailure(channel, error, { wasStarted, wasSent });
    if (plan !== undefined) this.#follow(plan);
    return plan !== undefined;
  }

  #follow(plan: Plan): void {
    if (plan.delayMs === 0) {
      this.send(plan.channel);
      return;
    }
    const timer = this.#owner.later(plan.delayMs, () => this.#sendLater(plan));
    this.waiting = { abort: () => timer.cancel() };
  }

  #sendLater({ channel, pick }: Plan): void {
    this.waiting = undefined;
    try {
      if (this.phase !== 'over') this.send(pick() ?? channel);
    } catch (error) {
      this.fail(asError(error));
    }
  }

  #errorOf(channel: EndpointChannel, error: Error): RollcallError {
    return lostError(error, {
      call: callName(this.#options, this.label),
      endpoint: channel.endpoint,
      tries: this.#next?.count ?? 1,
      wasSent: this.#wasSent,
    });
  }
}
