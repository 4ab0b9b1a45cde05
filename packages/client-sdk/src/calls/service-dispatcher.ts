import { type FailureKind, RetryBudget } from '@rollcall/balancing';
import type { Timer } from '@rollcall/runtime';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import { Dispatcher as BaseDispatcher } from '../undici/undici.ts';
import { asError } from './call-error.ts';
import type { CallOwner } from './call-owner.ts';
import { Call } from './call.ts';
import { type CallRules, rulesIn, rulesOf } from './call-rules.ts';
import type { EndpointRule } from './endpoint-filter.ts';
import { TimedHandler } from './timed-handler.ts';
import type { TryFailure } from './tries.ts';
import type { EndpointConnections } from './endpoint-connections.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import { RequestTrace } from '../diagnostics/request-trace.ts';
import { UnreadBodies } from './unread-bodies.ts';
import { modernHandler } from '../undici/legacy-handler.ts';

/** Supplies a channel when there is none yet. */
export interface EndpointAwaiter {
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  /** The error of a call that finds no endpoint. */
  whyNone(endpoint?: EndpointRule): RollcallError;
  /** Scheme and full name, as `http://orders.default.rollcall`. */
  readonly origin: string;
  /**
   * Resolves with a channel as soon as there is one, or with an error when `waitMs` (or its default) has passed or the
   * signal aborts. Rejects with what the rule throws.
   */
  awaitChannel(wait: {
    readonly waitMs: number | undefined;
    readonly signal: AbortSignal;
    readonly endpoint?: EndpointRule | undefined;
  }): Promise<EndpointChannel | RollcallError>;
}

const KEEPS_ALIVE = { keepsAlive: true };

/** An undici dispatcher whose origin is a service: each dispatch goes to the endpoint picked for it. */
export class ServiceDispatcher extends BaseDispatcher implements CallOwner {
  readonly label: string;
  readonly maxTries: number;
  readonly unread: UnreadBodies;
  /** Of calls that have none of their own. */
  readonly rules: CallRules | undefined;
  /** Set once by the service that owns it. */
  isClosed = false;
  readonly #channels: EndpointConnections;
  readonly #awaiter: EndpointAwaiter;
  readonly #options: ResolvedOptions;
  readonly #budget: RetryBudget;
  #calls = 0;
  #retries = 0;
  #failures = 0;

  constructor(channels: EndpointConnections, awaiter: EndpointAwaiter, options: ResolvedOptions) {
    super();
    this.label = awaiter.label;
    this.maxTries = options.calls.maxTries;
    this.rules = rulesOf(undefined, options.calls);
    this.unread = new UnreadBodies(
      options.runtime,
      options.calls.bodyTimeoutMs,
      (unreadMs) =>
        new RollcallError(
          'response_lost',
          `the body of an answer of ${this.label} was left unread for ${Math.round(unreadMs)} ms`,
          { mayHaveBeenProcessed: true },
        ),
    );
    this.#channels = channels;
    this.#awaiter = awaiter;
    this.#options = options;
    this.#budget = new RetryBudget(options.calls.retryBudget, options.runtime.monotonicMs());
  }

  get counts(): { readonly calls: number; readonly retries: number; readonly failures: number } {
    return { calls: this.#calls, retries: this.#retries, failures: this.#failures };
  }

  /** A call begins, by whatever way. */
  started(): void {
    this.#calls++;
    this.#budget.deposit();
  }

  /** Tells what becomes of a call; undefined when nobody listens. */
  trace(method: string, path: string): RequestTrace | undefined {
    return RequestTrace.begin(this.#awaiter, method, path);
  }

  /** The channel for a call; undefined when there is none now. */
  pick(): EndpointChannel | undefined {
    return this.#channels.pick();
  }

  /** Waits for a channel, as the options say. Resolves with the reason when there is none. */
  channel(signal: AbortSignal): Promise<EndpointChannel | RollcallError> {
    return this.#awaiter.awaitChannel({ waitMs: undefined, signal });
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.started();
    const rules = rulesIn(options) ?? this.rules;
    const modern = modernHandler(handler);
    const call =
      rules === undefined
        ? new Call(this, options, modern)
        : this.#ruledCall(rules, options, modern);
    call.trace = this.trace(options.method, options.path);
    if (!call.start()) return true;
    const channel = this.#pick(call);
    if (channel !== undefined) return call.send(channel);
    void this.#sendLater(call, (options as { waitMs?: number }).waitMs);
    return true;
  }

  pickOther(
    tried: readonly EndpointChannel[],
    endpoint?: EndpointRule,
  ): EndpointChannel | undefined {
    return this.#channels.pick({
      admit: (channel) =>
        !tried.includes(channel) && (endpoint === undefined || endpoint.admits(channel.endpoint)),
    });
  }

  later(ms: number, act: () => void, options = KEEPS_ALIVE): Timer {
    return this.#options.runtime.after(ms, act, options);
  }

  random(): number {
    return this.#options.runtime.random();
  }

  takeRetry(): boolean {
    if (!this.#budget.tryWithdraw(this.#options.runtime.monotonicMs())) return false;
    this.#retries++;
    return true;
  }

  nowMs(): number {
    return this.#options.runtime.monotonicMs();
  }

  failed(channel: EndpointChannel, kind: FailureKind, { error, isCounted }: TryFailure): void {
    if (isCounted) channel.traffic.broke();
    else channel.traffic.failed();
    this.#channels.failed(channel, kind, error.message || error.name);
  }

  answered(channel: EndpointChannel, statusCode: number, latencyMs: number): void {
    channel.traffic.answered(latencyMs, statusCode >= 500);
    this.#channels.answered(channel, statusCode);
  }

  whyNone(endpoint?: EndpointRule): RollcallError {
    return this.#awaiter.whyNone(endpoint);
  }

  gaveUp(): void {
    this.#failures++;
  }

  warn(message: string, error: unknown): void {
    this.#options.runtime.warn(message, error);
  }

  #ruledCall(
    rules: CallRules,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): Call {
    const { timeoutMs } = rules;
    const timed = timeoutMs === 0 ? undefined : new TimedHandler(handler);
    const call = new Call(this, options, timed ?? handler);
    call.rules = rules;
    if (timed === undefined) return call;
    const nowMs = this.nowMs();
    call.deadlineMs = (rules.startedMs ?? nowMs) + timeoutMs;
    const leftMs = Math.max(call.deadlineMs - nowMs, 0);
    timed.begin(this.later(leftMs, () => call.timedOut(timeoutMs)));
    return call;
  }

  /** When picking throws, only the call fails: the process must go on. */
  #pick(call: Call): EndpointChannel | undefined {
    const endpoint = call.rules?.endpoint;
    try {
      return endpoint === undefined ? this.#channels.pick() : this.pickOther([], endpoint);
    } catch (error) {
      call.fail(asError(error));
      return undefined;
    }
  }

  async #sendLater(call: Call, waitMs: number | undefined): Promise<void> {
    if (call.isOver) return;
    const waiting = new AbortController();
    call.waiting = waiting;
    const { signal } = waiting;
    try {
      const endpoint = call.rules?.endpoint;
      const found = await this.#awaiter.awaitChannel({ waitMs, signal, endpoint });
      call.waiting = undefined;
      if (call.isOver) return;
      if (!(found instanceof RollcallError)) {
        call.send(found);
        return;
      }
      this.#failures++;
      call.fail(found);
    } catch (error) {
      call.fail(asError(error));
    }
  }
}
