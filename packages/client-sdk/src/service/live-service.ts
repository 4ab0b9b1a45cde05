import type { Endpoint } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { EndpointConnections } from '../calls/endpoint-connections.ts';
import { type CallRules, parseSettings } from '../calls/call-rules.ts';
import { endpointRuleOf } from '../calls/endpoint-filter.ts';
import { ServiceDispatcher } from '../calls/service-dispatcher.ts';
import type { Directory } from '../directory/directory.ts';
import type { FeedEvents, ServiceFeed } from '../directory/service-feed.ts';
import { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import type { CallSettings } from '../api/call-settings.ts';
import type { ServiceExplanation } from '../api/explanation.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type {
  NoEndpoint,
  Outcome,
  PickedEndpoint,
  ReadyOptions,
  ServiceOptions,
  ServiceRequestOptions,
  ServiceSnapshot,
  ServiceStats,
} from '../api/service.ts';
import { CHANNELS, type PictureMessage, tell } from '../diagnostics/channels.ts';
import type { TrafficSource } from '../api/traffic.ts';
import type { FetchTerms } from '../fetch/fetch-terms.ts';
import { ServiceFetch } from '../fetch/service-fetch.ts';
import { requestBy } from '../undici/undici.ts';
import { EndpointWait } from './endpoint-wait.ts';
import { explainService } from './explain-service.ts';
import { requestOf } from './request-options.ts';

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
export class LiveService {
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
  readonly #wait: EndpointWait;
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
        http2: given.http2 ?? false,
        names: this.#names(given.servername),
      },
      { namespace: this.namespace, service: name },
    );
    this.#feed = directory.acquire({ namespace: this.namespace, service: name });
    this.#wait = new EndpointWait({
      origin: this.origin,
      namespace: this.namespace,
      name,
      port: given.port,
      options,
      directory,
      feed: this.#feed,
      events: this.#events,
      connections: this.connections,
      closedError: () => (this.#closed === undefined ? undefined : this.#closedError()),
    });
    this.dispatcher = new ServiceDispatcher(this.connections, this.#wait, options);
    this.#fetch = new ServiceFetch({
      name,
      namespace: this.namespace,
      scheme: this.#scheme,
      hostSuffix: options.hostSuffix,
      isDefaultNamespace: this.namespace === options.namespace,
      dispatcher: this.dispatcher,
      endpoints: () => this.#endpoints,
      nowMs: () => options.runtime.monotonicMs(),
      reach: parts.reach,
    });
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

  get isClosed(): boolean {
    return this.dispatcher.isClosed;
  }

  /** Scheme and full name, as `http://orders.default.rollcall`. */
  get origin(): string {
    const { hostSuffix } = this.#parts.options;
    return `${this.#scheme}://${this.name}.${this.namespace}.${hostSuffix}`;
  }

  /** `closing` ends the wait like the signal. */
  ready(options?: ReadyOptions, closing?: AbortSignal): Promise<void> {
    return this.#wait.ready(options, closing);
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
    if (channel === undefined) return { kind: 'none', error: this.#wait.whyNone() };
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

  /** `rules`: of calls that have none of their own. */
  request(
    given: ServiceRequestOptions,
    rules: CallRules | undefined = this.dispatcher.rules,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return requestBy(this.dispatcher, requestOf(given, { label: this.label, rules }));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  fetch(input: string | URL | Request, init?: RequestInit, terms?: FetchTerms): Promise<Response> {
    return this.#fetch.fetch(input, init, terms);
  }

  explain({ endpoint: filter }: Pick<CallSettings, 'endpoint'>): ServiceExplanation {
    const { endpoint } = parseSettings({ endpoint: filter });
    const rule = endpoint === undefined ? undefined : endpointRuleOf(endpoint);
    return explainService({
      namespace: this.namespace,
      service: this.name,
      ageMs: this.ageMs(),
      known: this.#feed.snapshot?.endpoints ?? [],
      pool: this.connections.explain(rule),
      whyNone: () => this.#wait.whyNone(rule).message,
    });
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

  /** Names that the certificates of its instances must match. */
  #names(given: string | undefined): [string, ...string[]] {
    if (given !== undefined) return [given];
    const { hostSuffix, namespace } = this.#parts.options;
    const whole = `${this.name}.${this.namespace}.${hostSuffix}`;
    return this.namespace === namespace ? [whole, `${this.name}.${hostSuffix}`] : [whole];
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
