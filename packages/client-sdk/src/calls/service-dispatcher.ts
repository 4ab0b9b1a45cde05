import { type FailureKind, RetryBudget } from '@rollcall/balancing';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import { Dispatcher as BaseDispatcher } from '../undici/undici.ts';
import { asError } from './call-error.ts';
import { Call, type CallOwner } from './call.ts';
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
  /**
   * Resolves with a channel as soon as there is one, or with an error when `waitMs` (or its default) has passed or the
   * signal aborts.
   */
  awaitChannel(
    waitMs: number | undefined,
    signal: AbortSignal,
  ): Promise<EndpointChannel | RollcallError>;
}

/** An undici dispatcher whose origin is a service: each dispatch goes to the endpoint picked for it. */
export class ServiceDispatcher extends BaseDispatcher implements CallOwner {
  readonly label: string;
  readonly maxTries: number;
  readonly unread: UnreadBodies;
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
    const { namespace, name: service } = this.#awaiter;
    return RequestTrace.begin(() => ({ namespace, service, method, path }));
  }

  /** The channel for a call; waits for one, as the options say, when there is none. Resolves with the reason otherwise. */
  async channel(signal: AbortSignal): Promise<EndpointChannel | RollcallError> {
    return this.#channels.pick() ?? (await this.#awaiter.awaitChannel(undefined, signal));
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.started();
    const call = new Call(this, options, modernHandler(handler));
    call.trace = this.trace(options.method, options.path);
    if (!call.start()) return true;
    const channel = this.#pick(call);
    if (channel !== undefined) return call.send(channel);
    void this.#sendLater(call, (options as { waitMs?: number }).waitMs);
    return true;
  }

  pickOther(tried: readonly EndpointChannel[]): EndpointChannel | undefined {
    return this.#channels.pick({ admit: (channel) => !tried.includes(channel) });
  }

  later(ms: number, act: () => void): void {
    this.#options.runtime.after(ms, act, { keepsAlive: true });
  }

  takeRetry(): boolean {
    if (!this.#budget.tryWithdraw(this.#options.runtime.monotonicMs())) return false;
    this.#retries++;
    return true;
  }

  nowMs(): number {
    return this.#options.runtime.monotonicMs();
  }

  failed(channel: EndpointChannel, kind: FailureKind, hasAnswered = false): void {
    if (hasAnswered) channel.traffic.broke();
    else channel.traffic.failed();
    this.#channels.failed(channel, kind);
  }

  answered(channel: EndpointChannel, statusCode: number, latencyMs: number): void {
    channel.traffic.answered(latencyMs, statusCode >= 500);
    this.#channels.answered(channel, statusCode);
  }

  gaveUp(): void {
    this.#failures++;
  }

  warn(message: string, error: unknown): void {
    this.#options.runtime.warn(message, error);
  }

  /** When picking throws, only the call fails: the process must go on. */
  #pick(call: Call): EndpointChannel | undefined {
    try {
      return this.#channels.pick();
    } catch (error) {
      call.fail(asError(error));
      return undefined;
    }
  }

  async #sendLater(call: Call, waitMs: number | undefined): Promise<void> {
    if (call.isOver) return;
    call.waiting = new AbortController();
    try {
      const found = await this.#awaiter.awaitChannel(waitMs, call.waiting.signal);
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
