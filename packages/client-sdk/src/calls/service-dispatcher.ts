import { type FailureKind, RetryBudget } from '@rollcall/balancing';
import { Dispatcher } from 'undici';
import { RollcallError } from '../error.ts';
import type { ResolvedOptions } from '../options.ts';
import { Call, type CallOwner } from './call.ts';
import type { ChannelSet } from './channel-set.ts';
import type { EndpointChannel } from './endpoint-channel.ts';

/** Where channels come from while there are none. */
export interface EndpointAwaiter {
  readonly label: string;
  /** Resolves with a channel as soon as there is one, with an error when `waitMs` (or its default) is over. */
  awaitChannel(waitMs: number | undefined): Promise<EndpointChannel | RollcallError>;
}

/** An undici dispatcher whose origin is a service: each dispatch goes to the endpoint that is picked for it. */
export class ServiceDispatcher extends Dispatcher implements CallOwner {
  readonly label: string;
  readonly maxTries: number;
  /** Set once by its service. */
  isClosed = false;
  readonly #channels: ChannelSet;
  readonly #awaiter: EndpointAwaiter;
  readonly #options: ResolvedOptions;
  readonly #budget: RetryBudget;
  #calls = 0;
  #retries = 0;
  #failures = 0;

  constructor(channels: ChannelSet, awaiter: EndpointAwaiter, options: ResolvedOptions) {
    super();
    this.label = awaiter.label;
    this.maxTries = options.calls.maxTries;
    this.#channels = channels;
    this.#awaiter = awaiter;
    this.#options = options;
    this.#budget = new RetryBudget(options.calls.retryBudget, options.runtime.nowMs());
  }

  get counts(): { readonly calls: number; readonly retries: number; readonly failures: number } {
    return { calls: this.#calls, retries: this.#retries, failures: this.#failures };
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.#calls++;
    this.#budget.deposit();
    const call = new Call(this, options, handler);
    const channel = this.#channels.pick();
    if (channel !== undefined) return call.send(channel);
    void this.#sendLater(call, options);
    return true;
  }

  pickOther(tried: readonly EndpointChannel[]): EndpointChannel | undefined {
    return this.#channels.pick({ admit: (channel) => !tried.includes(channel) });
  }

  later(ms: number, act: () => void): void {
    this.#options.runtime.setTimer(act, ms);
  }

  takeRetry(): boolean {
    if (!this.#budget.tryWithdraw(this.#options.runtime.nowMs())) return false;
    this.#retries++;
    return true;
  }

  failed(channel: EndpointChannel, kind: FailureKind): void {
    this.#channels.failed(channel, kind);
  }

  succeeded(channel: EndpointChannel): void {
    this.#channels.succeeded(channel);
  }

  gaveUp(): void {
    this.#failures++;
  }

  async #sendLater(call: Call, options: Dispatcher.DispatchOptions): Promise<void> {
    const { waitMs, signal } = options as { waitMs?: number; signal?: unknown };
    const onAbort = () => call.abort((signal as AbortSignal).reason as Error);
    const isAbortable = signal instanceof AbortSignal;
    if (isAbortable && !signal.aborted) signal.addEventListener('abort', onAbort, { once: true });
    try {
      const found = await this.#awaiter.awaitChannel(waitMs);
      if (!(found instanceof RollcallError)) {
        if (!call.aborted) call.send(found);
        return;
      }
      this.#failures++;
      call.fail(found);
    } finally {
      if (isAbortable) signal.removeEventListener('abort', onAbort);
    }
  }
}
