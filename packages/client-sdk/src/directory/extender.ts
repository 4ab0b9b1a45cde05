import { MAX_TAKEN_UP } from '@rollcall/contract';
import { Backoff, type Timer } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import { guarded } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import type { WatchSession } from './watch-session.ts';

/** First pause before asking again, in ms; the pause grows from there. */
const FIRST_PAUSE_MS = 100;

export interface ExtenderListener {
  /** The stream lacks services that were asked for; they may be asked for again now. */
  onDue(): void;
  /** A request failed and will be retried. */
  onFailing(error: RollcallError): void;
  /** The server does not know the stream, or cannot extend streams: a new stream is needed. */
  onUnknown(session: WatchSession): void;
  /** The registry refuses to show these, for a reason that does not pass by itself; undefined = the whole namespace. */
  onRefused(services: readonly string[] | undefined, error: RollcallError): void;
}

/** Asks the server of a watch stream to add further services to it. */
export class Extender {
  readonly #client: RegistryApi;
  readonly #options: ResolvedOptions;
  readonly #namespace: string;
  readonly #listener: ExtenderListener;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #retry: Timer | undefined;

  constructor(
    client: RegistryApi,
    options: ResolvedOptions,
    given: { readonly namespace: string; readonly listener: ExtenderListener },
  ) {
    this.#client = client;
    this.#options = options;
    this.#namespace = given.namespace;
    this.#listener = given.listener;
    this.#backoff = new Backoff(options.runtime.random, FIRST_PAUSE_MS, options.reconnectMaxMs);
  }

  /** Asks for services; undefined = the whole namespace. The stream itself reports when it covers them. */
  extend(session: WatchSession, services: readonly string[] | undefined): void {
    if (services === undefined) void this.#ask(session, undefined);
    else
      for (let at = 0; at < services.length; at += MAX_TAKEN_UP)
        void this.#ask(session, services.slice(at, at + MAX_TAKEN_UP));
  }

  /** Whether a request was refused and is waiting for its retry. */
  get isPausing(): boolean {
    return this.#retry !== undefined;
  }

  close(): void {
    this.#retry?.cancel();
    this.#abort.abort();
  }

  async #ask(session: WatchSession, services: readonly string[] | undefined): Promise<void> {
    session.markAsked(services);
    try {
      await this.#client.callAt(session.url, 'extendWatch', {
        params: { stream: session.stream ?? '' },
        query: { namespace: this.#namespace },
        body: services === undefined ? {} : { services },
        signal: this.#abort.signal,
      });
      this.#backoff.reset();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      guarded(this.#options.runtime, 'asking for services', () =>
        this.#onFailure(session, services, error),
      );
    }
  }

  #onFailure(session: WatchSession, services: readonly string[] | undefined, error: unknown): void {
    session.unask(services);
    if (!(error instanceof RollcallError)) throw error;
    if (error.code === 'watch_unknown' || error.code === 'route_not_found') {
      this.#listener.onUnknown(session);
      return;
    }
    this.#listener.onFailing(error);
    if (!error.retryable) this.#listener.onRefused(services, error);
    const delayMs = this.#backoff.nextDelayMs(error.retryAfterMs ?? 0);
    this.#retry?.cancel();
    const onDue = () => {
      this.#retry = undefined;
      this.#listener.onDue();
    };
    const { runtime, keepAlive: keepsAlive } = this.#options;
    this.#retry = runtime.after(delayMs, onDue, { keepsAlive });
  }
}
