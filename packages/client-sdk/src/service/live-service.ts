import type { Endpoint } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { EndpointConnections } from '../calls/endpoint-connections.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import { type EndpointAwaiter, ServiceDispatcher } from '../calls/service-dispatcher.ts';
import type { Directory } from '../directory/directory.ts';
import type { FeedEvents, ServiceFeed } from '../directory/service-feed.ts';
import { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type {
  NoEndpoint,
  Outcome,
  PickedEndpoint,
  ServiceOptions,
  ServiceRequestOptions,
  ServiceSnapshot,
  ServiceStats,
} from '../api/service.ts';
import { CHANNELS, type PictureMessage, tell } from '../diagnostics/channels.ts';
import type { TrafficSource } from '../api/traffic.ts';
import { ServiceFetch } from '../fetch/service-fetch.ts';
import { withCause } from '@rollcall/runtime';
import { requestBy } from '../undici/undici.ts';
import { noEndpointsError } from './no-endpoints.ts';

/** How long closing waits for calls in progress, in ms. */
const CLOSE_GRACE_MS = 5_000;

export interface LiveServiceParts {
  readonly options: ResolvedOptions;
  readonly directory: Directory;
  /** The dispatcher of another service, for an origin that names one. */
  readonly reach: (origin: string) => Dispatcher | undefined;
  /** Reports its calls. Returns a function that ends it. */
  readonly report: (source: TrafficSource) => () => void;
  /** Name of the port to call when none was chosen and there is one of this name. @default 'http' */
  readonly usualPort?: string | undefined;
  /** Called once, when the service is closed. */
  readonly onClosed: () => void;
}

/** A service on top of a directory's feed: port selection, picks, calls. */
export class LiveService implements EndpointAwaiter {
  readonly name: string;
  readonly namespace: string;
  readonly label: string;
  readonly dispatcher: ServiceDispatcher;
  readonly #port: string | undefined;
  readonly #usualPort: string;
  readonly #scheme: 'http' | 'https';
  readonly #parts: LiveServiceParts;
  readonly #fetch: ServiceFetch;
  readonly #feed: ServiceFeed;
  readonly connections: EndpointConnections;
  readonly #events: Emitter<FeedEvents>;
  readonly #unsubscribe: readonly (() => void)[];
  #endpoints: readonly Endpoint[] = Object.freeze([]);
  #closed: Promise<void> | undefined;

  constructor(name: string, given: ServiceOptions, parts: LiveServiceParts) {
    const { options, directory } = parts;
    this.name = name;
    this.namespace = given.namespace ?? options.namespace;
    this.label = `${this.namespace}/${name}`;
    this.#port = given.port;
    this.#usualPort = parts.usualPort ?? 'http';
    this.#scheme = given.scheme ?? 'http';
    this.#parts = parts;
    this.#events = new Emitter(options.runtime);
    this.connections = new EndpointConnections(
      options,
      given.policy ?? options.policy,
      {
        scheme: this.#scheme,
        names: this.#names(given.servername),
      },
      { namespace: this.namespace, service: name },
    );
    this.dispatcher = new ServiceDispatcher(this.connections, this, options);
    this.#fetch = new ServiceFetch({
      name,
      namespace: this.namespace,
      scheme: this.#scheme,
      hostSuffix: options.hostSuffix,
      isDefaultNamespace: this.namespace === options.namespace,
      dispatcher: this.dispatcher,
      endpoints: () => this.#endpoints,
      reach: parts.reach,
    });
    this.#feed = directory.acquire({ namespace: this.namespace, service: name });
    this.#unsubscribe = [
      this.#feed.events.on('change', (snapshot) => this.#take(snapshot)),
      this.#feed.events.on('refused', (error) => this.#events.emit('refused', error)),
      parts.report({
        service: name,
        namespace: this.namespace,
        targets: () => this.connections.targets(),
      }),
    ];
    const snapshot = this.#feed.snapshot;
    if (snapshot !== undefined) this.#take(snapshot);
  }

  async ready({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#feed.snapshot !== undefined) return;
    const failure = this.#parts.directory.failure;
    if (failure !== undefined && !failure.retryable) throw failure;
    try {
      await this.#next(signal);
    } catch (error) {
      throw withCause(error, this.#parts.directory.failure);
    }
  }

  snapshot(): ServiceSnapshot | undefined {
    return this.#feed.snapshot;
  }

  endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  ageMs(): number {
    return this.#feed.ageMs;
  }

  on(event: 'change', listener: (snapshot: ServiceSnapshot) => void): () => void {
    return this.#events.on(event, listener);
  }

  pick(): PickedEndpoint | NoEndpoint {
    const channel = this.connections.pick();
    if (channel === undefined) return { kind: 'none', error: this.#noEndpoints() };
    channel.begin();
    const { runtime } = this.#parts.options;
    const startMs = runtime.monotonicMs();
    let isDone = false;
    const done = (outcome: Outcome) => {
      if (isDone) return;
      isDone = true;
      channel.end();
      if (outcome === 'ok') channel.traffic.answered(runtime.monotonicMs() - startMs, false);
      else channel.traffic.failed();
      if (outcome === 'ok') this.connections.succeeded(channel);
      else this.connections.failed(channel, outcome === 'connect_failed' ? 'connect' : 'call');
    };
    return { kind: 'picked', endpoint: channel.endpoint, done };
  }

  request(
    target: string | ServiceRequestOptions,
    options: Omit<ServiceRequestOptions, 'path'> = {},
  ): Promise<Dispatcher.ResponseData> {
    const given = typeof target === 'string' ? { ...options, path: target } : target;
    // The body may be a function here, which only this package's own dispatcher supports.
    const request = { method: 'GET', ...given } as Dispatcher.RequestOptions;
    // As a path, it would be sent to an instance, which is not a proxy.
    if (/^https?:/i.test(request.path)) return Promise.reject(this.#notAPath(request.path));
    return requestBy(this.dispatcher, request);
  }

  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return this.#fetch.fetch(input, init);
  }

  stats(): ServiceStats {
    return {
      ...this.dispatcher.counts,
      ejections: this.connections.ejections,
      inFlight: this.connections.inFlight,
    };
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async awaitChannel(
    waitMs: number | undefined,
    signal: AbortSignal,
  ): Promise<EndpointChannel | RollcallError> {
    const { firstPictureWaitMs, noEndpointWaitMs } = this.#parts.options;
    try {
      if (waitMs === undefined && this.#feed.snapshot === undefined)
        await this.#within(firstPictureWaitMs, signal, (giveUp) => this.#next(giveUp));
      const limitMs = waitMs ?? noEndpointWaitMs;
      if (limitMs === 0) return this.connections.pick() ?? this.#noEndpoints();
      return await this.#within(limitMs, signal, (giveUp) => this.#nextChannel(giveUp));
    } catch (error) {
      return error instanceof RollcallError ? error : this.#noEndpoints();
    }
  }

  /** Names that the certificates of its instances must match. */
  #names(given: string | undefined): [string, ...string[]] {
    if (given !== undefined) return [given];
    const { hostSuffix, namespace } = this.#parts.options;
    const whole = `${this.name}.${this.namespace}.${hostSuffix}`;
    return this.namespace === namespace ? [whole, `${this.name}.${hostSuffix}`] : [whole];
  }

  /** The result of `wait`; aborts the signal passed to it after `limitMs`, or when the given signal aborts. */
  async #within<T>(
    limitMs: number,
    signal: AbortSignal,
    wait: (giveUp: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const giveUp = new AbortController();
    const abort = () => giveUp.abort();
    const timer = this.#parts.options.runtime.after(limitMs, abort, { keepsAlive: true });
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await wait(giveUp.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  async #nextChannel(giveUp: AbortSignal): Promise<EndpointChannel> {
    for (;;) {
      const channel = this.connections.pick();
      if (channel !== undefined) return channel;
      await this.#next(giveUp);
    }
  }

  /** Applies a picture: first the endpoints of the port, then the listeners. */
  #take(snapshot: ServiceSnapshot): void {
    const { endpoints } = snapshot;
    const hasUsual = endpoints.some(({ portName }) => portName === this.#usualPort);
    const port = this.#port ?? (hasUsual ? this.#usualPort : endpoints[0]?.portName);
    this.#endpoints = Object.freeze(endpoints.filter(({ portName }) => portName === port));
    this.connections.update(this.#endpoints);
    tell(CHANNELS.pictureChange, () => ({ snapshot }) satisfies PictureMessage);
    this.#events.emit('change', snapshot);
  }

  /** Resolves at the next picture. Rejects on abort, on close, and when there is no picture and never will be. */
  #next(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#closed !== undefined) reject(this.#closedError());
    if (signal?.aborted) reject(signal.reason);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const offs = [
      this.#events.on('change', () => resolve()),
      this.#events.on('refused', (error) => {
        if (this.#closed !== undefined || this.#feed.snapshot === undefined) reject(error);
      }),
    ];
    return promise.finally(() => {
      signal?.removeEventListener('abort', onAbort);
      for (const off of offs) off();
    });
  }

  #noEndpoints(): RollcallError {
    if (this.#closed !== undefined) return this.#closedError();
    return noEndpointsError({
      label: this.label,
      port: this.#port,
      known: this.#feed.snapshot?.endpoints ?? [],
      ageMs: this.ageMs(),
      failure: this.#parts.directory.failure,
    });
  }

  #notAPath(url: string): RollcallError {
    const host = URL.parse(url)?.origin ?? 'another host';
    const message = `request of service ${this.label} got a url of ${host}: expected a path`;
    return new RollcallError('invalid_host', message);
  }

  #closedError(): RollcallError {
    return new RollcallError('closed', `service ${this.label} was closed`);
  }

  async #close(): Promise<void> {
    const { directory, onClosed } = this.#parts;
    this.dispatcher.isClosed = true;
    for (const off of this.#unsubscribe) off();
    directory.release({ namespace: this.namespace, service: this.name });
    onClosed();
    // Waiting callers must see `closed` set, and it is set only at the first await of this function.
    await Promise.resolve();
    this.#events.emit('refused', this.#closedError());
    this.#events.clear();
    await this.connections.close(CLOSE_GRACE_MS);
  }
}
