import type { Endpoint } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { CallLimits, CallSettings } from '../api/call-settings.ts';
import type { ServiceExplanation } from '../api/explanation.ts';
import { type CallRules, rulesOf } from '../calls/call-rules.ts';
import { fetchTermsOf } from '../fetch/fetch-terms.ts';
import type {
  NoEndpoint,
  PickedEndpoint,
  ReadyOptions,
  Service,
  ServiceRequestOptions,
  ServiceSnapshot,
  ServiceStats,
} from '../api/service.ts';
import type { LiveService } from './live-service.ts';

/** One user's handle of a service: closing it does not affect the other users' handles. */
export class ServiceHandle implements Service {
  /** Shared with the other users. */
  readonly live: LiveService;
  readonly #rules: CallRules | undefined;
  readonly #closing = new AbortController();
  readonly #offs = new Set<() => void>();
  readonly #onClosed: () => Promise<void>;
  #closed: Promise<void> | undefined;

  /** `onClosed` is called once, and its promise is awaited. */
  constructor(live: LiveService, limits: CallLimits, onClosed: () => Promise<void>) {
    this.live = live;
    this.#rules = rulesOf(live.dispatcher.rules, limits);
    this.#onClosed = onClosed;
  }

  get name(): string {
    return this.live.name;
  }

  get namespace(): string {
    return this.live.namespace;
  }

  async ready(options?: ReadyOptions): Promise<void> {
    if (this.#closed !== undefined) throw this.#closedError();
    await this.live.ready(options, this.#closing.signal);
  }

  snapshot(): ServiceSnapshot | undefined {
    return this.live.snapshot();
  }

  endpoints(): readonly Endpoint[] {
    return this.live.endpoints();
  }

  ageMs(): number {
    return this.live.ageMs();
  }

  on(event: 'change', listener: (snapshot: ServiceSnapshot) => void): () => void {
    if (this.#closed !== undefined) return () => {};
    // A separate function, so that two users who pass the same function get two listeners.
    const unsubscribe = this.live.on(event, (snapshot) => listener(snapshot));
    const off = () => {
      this.#offs.delete(off);
      unsubscribe();
    };
    this.#offs.add(off);
    return off;
  }

  pick(): PickedEndpoint | NoEndpoint {
    if (this.#closed !== undefined) return { kind: 'none', error: this.#closedError() };
    return this.live.pick();
  }

  request(
    target: string | ServiceRequestOptions,
    options: Omit<ServiceRequestOptions, 'path'> = {},
  ): Promise<Dispatcher.ResponseData> {
    if (this.#closed !== undefined) return Promise.reject(this.#closedError());
    const given = typeof target === 'string' ? { ...options, path: target } : target;
    return this.live.request(given, this.#rules);
  }

  fetch(
    input: string | URL | Request,
    init?: RequestInit,
    settings?: CallSettings,
  ): Promise<Response> {
    if (this.#closed !== undefined) return Promise.reject(this.#closedError());
    try {
      return this.live.fetch(input, init, fetchTermsOf(this.#rules, settings));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  explain(options: Pick<CallSettings, 'endpoint'> = {}): ServiceExplanation {
    return this.live.explain(options);
  }

  stats(): ServiceStats {
    return this.live.stats();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const off of this.#offs) off();
    this.#closing.abort(this.#closedError());
    await this.#onClosed();
  }

  #closedError(): RollcallError {
    return new RollcallError('closed', `service ${this.live.label} was closed`);
  }
}
