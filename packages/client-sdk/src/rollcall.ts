import { NamespaceName, PortName, ServiceName, ServiceReport } from '@rollcall/contract';
import { REQUEST_POLICIES } from '@rollcall/balancing';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Catalog, CatalogOptions } from './api/catalog.ts';
import type { ServiceDispatcher } from './calls/service-dispatcher.ts';
import { Directory } from './directory/directory.ts';
import { RollcallError } from './base/error.ts';
import { createInterceptor } from './interceptor.ts';
import { type ServiceHost, serviceHostOf } from './base/service-host.ts';
import { setReach } from './calls/reach.ts';
import type { ConnectionEvents, ConnectionState } from './api/connection.ts';
import {
  parseOptions,
  type ResolvedOptions,
  resolveOptions,
  type RollcallOptions,
} from './api/options.ts';
import type { RegisterOptions, Registration } from './api/registration.ts';
import { assertHost } from './base/host-check.ts';
import { DepartureSignals } from './registration/departure-signals.ts';
import { hostFetch } from './fetch/host-fetch.ts';
import { InstanceRegistration } from './registration/instance-registration.ts';
import { Registrar } from './registration/registrar.ts';
import { parseRegistration } from './registration/registration-spec.ts';
import {
  type CallArguments,
  type CallName,
  type CallRequest,
  checkCall,
  type ReplyOf,
} from './registry/call-request.ts';
import { Connection } from './registry/connection.ts';
import type { RegistryApi } from './registry/registry-api.ts';
import { RegistryClient } from './registry/registry-client.ts';
import type { Service, ServiceOptions } from './api/service.ts';
import { LiveService } from './service/live-service.ts';
import type { ServiceHandle } from './service/service-handle.ts';
import { SharedServices } from './service/shared-services.ts';
import type { TrafficSource } from './api/traffic.ts';
import { TrafficReporter } from './traffic/traffic-reporter.ts';

const ServiceKey = z.strictObject({
  name: ServiceName,
  namespace: NamespaceName,
  port: PortName.optional(),
  policy: z.enum(REQUEST_POLICIES),
  scheme: z.enum(['http', 'https']).default('http'),
  servername: z.hostname().optional(),
});

const CatalogKey = z.strictObject({
  namespace: z.union([z.literal('*'), NamespaceName]).default('*'),
});

/**
 * A client of the registry: puts instances on the roll and keeps live pictures of services. It opens no connection
 * before the first registration or service. Close it when done: open streams keep the process alive.
 */
export class Rollcall {
  /**
   * The process's `fetch`, for which `http://<service>.rollcall` leads to an instance of the service, as
   * {@link Service.fetch} does. Other urls are fetched as ever. It may be passed on as a function.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly #options: ResolvedOptions;
  readonly #connection: Connection;
  readonly #client: RegistryApi;
  readonly #registrar: Registrar;
  readonly #signals: DepartureSignals;
  readonly #registrations = new Set<InstanceRegistration>();
  readonly #directories = new Map<string, Directory>();
  readonly #services: SharedServices;
  readonly #traffic: TrafficReporter;
  #closed: Promise<void> | undefined;

  /** Throws a {@link RollcallError} `invalid_options` that names the option, or the unsupported host. */
  constructor(options: RollcallOptions) {
    assertHost(process.versions);
    this.#options = resolveOptions(options);
    this.#connection = new Connection(this.#options.url, this.#options);
    this.#client = new RegistryClient(this.#options, this.#connection);
    this.#registrar = new Registrar(this.#client, this.#options);
    this.#services = new SharedServices(this.#options.runtime);
    this.#traffic = new TrafficReporter(this.#client, this.#options);
    this.#signals = new DepartureSignals(this.#options.runtime.signals);
    const { hostSuffix, calls, runtime, namespace } = this.#options;
    const dispatcherOf = (host: ServiceHost) => this.#dispatcherOf(host);
    this.fetch = hostFetch(
      hostSuffix,
      (host) => (input, init) => this.#liveServiceOf(host).fetch(input, init),
      () => globalThis.fetch,
    );
    setReach(this, {
      hostSuffix,
      calls,
      runtime,
      namespace,
      dispatcherOf,
      open: (name, where, usualPort) => this.#open(name, where, usualPort),
    });
  }

  /** Whether the registry answers. Pictures and calls go on when it does not. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls the listener whenever the registry begins or ceases to answer. Returns a function that unsubscribes. */
  on<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): () => void {
    return this.#connection.events.on(event, listener);
  }

  /**
   * Puts an instance on the roll and keeps it there until it is drained, deregistered or superseded. Resolves once it
   * is registered, however long the registry is unreachable. Rejects with a {@link RollcallError} at once when trying
   * again cannot help, or with the signal's reason.
   */
  async register(options: RegisterOptions): Promise<Registration> {
    this.#throwIfClosed();
    const spec = parseRegistration(options, this.#options);
    const registration = new InstanceRegistration(this.#registrar, spec, () => {
      this.#registrations.delete(registration);
      this.#signals.remove(registration);
    });
    if (options.onSuperseded !== undefined) registration.on('superseded', options.onSuperseded);
    this.#registrations.add(registration);
    try {
      await registration.enroll(options.signal);
    } catch (error) {
      void registration.close();
      throw error;
    }
    if (spec.signals.length > 0) this.#signals.add(spec.signals, registration);
    return registration;
  }

  /**
   * The live picture of a service, and calls to it. Callers that ask for the same service share
   * it; each closes its own handle.
   */
  service(name: string, options: ServiceOptions = {}): Service {
    return this.#open(name, options);
  }

  /** Lets an undici dispatcher reach `http://<service>.rollcall` and `http://<service>.<namespace>.rollcall`. */
  interceptor(): Dispatcher.DispatcherComposeInterceptor {
    return createInterceptor(this.#options.hostSuffix, (host) => this.#dispatcherOf(host));
  }

  /** The live pictures of every service of one namespace, or of all namespaces: for DNS servers and proxies. */
  catalog(options: CatalogOptions = {}): Catalog {
    this.#throwIfClosed();
    const { namespace } = parseOptions(CatalogKey, options);
    const directory = this.#directory(namespace);
    return directory.catalog(() => this.#leave(directory));
  }

  /**
   * Reports the state of a declared service, as a data plane does. It replaces the previous report of the same reporter
   * and expires after `forMs` unless it is repeated.
   */
  async report(
    service: string,
    reporter: string,
    report: z.input<typeof ServiceReport>,
    options: { readonly namespace?: string; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { namespace = this.#options.namespace, signal } = options;
    const params = { ns: namespace, svc: service, reporter };
    const body = parseOptions(ServiceReport, report);
    await this.call('putReport', { params, body, ...(signal === undefined ? {} : { signal }) });
  }

  /** Withdraws a {@link report}. */
  async withdrawReport(
    service: string,
    reporter: string,
    options: { readonly namespace?: string } = {},
  ): Promise<void> {
    const { namespace = this.#options.namespace } = options;
    await this.call('deleteReport', { params: { ns: namespace, svc: service, reporter } });
  }

  /**
   * Reports the calls to a service that are made by other means, such as a balancer's, for `rollcall top`. Calls through
   * {@link service} are reported anyway. Returns a function that ends it.
   */
  reportTraffic(source: TrafficSource): () => void {
    this.#throwIfClosed();
    return this.#traffic.add(source);
  }

  /**
   * Calls the registry's API, at each URL in turn until one answers. Rejects with a {@link RollcallError}, or with the
   * signal's reason. For API calls that have no method of their own here.
   */
  async call<N extends CallName>(name: N, ...given: CallArguments<N>): Promise<ReplyOf<N>> {
    this.#throwIfClosed();
    const [request = {} as CallRequest<N>] = given;
    checkCall(name, request);
    return this.#client.call(name, request);
  }

  /** Takes its instances off the roll and ends all streams, timers and connections. Safe to call twice. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  #open(name: string, options: ServiceOptions, usualPort?: string): ServiceHandle {
    const { key, create } = this.#service(name, options, usualPort);
    return this.#services.openHandle(key, create);
  }

  #service(name: string, given: ServiceOptions, usualPort?: string) {
    this.#throwIfClosed();
    const { namespace, policy } = this.#options;
    const parsed = parseOptions(ServiceKey, { namespace, policy, ...given, name });
    // A port that was named is the same for every way of calling, and so are its connections.
    const key = JSON.stringify(parsed.port === undefined ? { ...parsed, usualPort } : parsed);
    const create = () => {
      const directory = this.#directoryOf(parsed.namespace);
      return new LiveService(name, parsed as ServiceOptions, {
        options: this.#options,
        directory,
        reach: (origin) => this.#reach(origin),
        report: (source) => this.#traffic.add(source),
        usualPort,
        onClosed: () => this.#leave(directory),
      });
    };
    return { key, create };
  }

  #dispatcherOf(host: ServiceHost): ServiceDispatcher {
    return this.#liveServiceOf(host).dispatcher;
  }

  #liveServiceOf({ service, namespace, scheme }: ServiceHost): LiveService {
    const where = namespace === undefined ? {} : { namespace };
    const { key, create } = this.#service(service, { scheme, ...where });
    return this.#services.shared(key, create);
  }

  #reach(origin: string): ServiceDispatcher | undefined {
    const host = serviceHostOf(origin, this.#options.hostSuffix);
    return host === undefined ? undefined : this.#dispatcherOf(host);
  }

  /**
   * A client that already sees all services needs no other stream. A client that may not see them
   * all has one stream per namespace.
   */
  #directoryOf(namespace: string): Directory {
    const all = this.#directories.get('*');
    return all !== undefined && all.wholeAgeMs !== Infinity ? all : this.#directory(namespace);
  }

  #directory(namespace: string): Directory {
    const known = this.#directories.get(namespace);
    if (known !== undefined) return known;
    const directory = new Directory(this.#client, this.#options, namespace);
    this.#directories.set(namespace, directory);
    return directory;
  }

  /** Closes a directory once its last reader is gone. */
  #leave(directory: Directory): void {
    if (directory.isUsed) return;
    for (const [namespace, one] of this.#directories) {
      if (one === directory) this.#directories.delete(namespace);
    }
    directory.close();
  }

  async #close(): Promise<void> {
    this.#signals.close();
    this.#traffic.close();
    await Promise.all([
      ...[...this.#registrations].map((registration) => registration.close()),
      this.#services.close(),
    ]);
    this.#registrar.close();
    for (const directory of this.#directories.values()) directory.close();
    await this.#client.close();
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw new RollcallError('closed', 'the client was closed');
  }
}
