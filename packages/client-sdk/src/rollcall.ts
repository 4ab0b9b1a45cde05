import { NamespaceName } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { CallSettings } from './api/call-settings.ts';
import type { Catalog, CatalogOptions } from './api/catalog.ts';
import type { ServiceDispatcher } from './calls/service-dispatcher.ts';
import { Directory } from './directory/directory.ts';
import { createInterceptor } from './dispatch/interceptor.ts';
import { parseOptions } from './base/parse-options.ts';
import type { ServiceHost } from './base/service-host.ts';
import { setReach } from './calls/reach.ts';
import type { RollcallOptions } from './api/options.ts';
import { fetchTermsOf } from './fetch/fetch-terms.ts';
import { hostFetch } from './fetch/host-fetch.ts';
import { RegistrationClient } from './client/registration-client.ts';
import type { Service, ServiceOptions } from './api/service.ts';
import { LiveService } from './service/live-service.ts';
import { ServiceHosts } from './service/service-hosts.ts';
import { parseService } from './service/service-key.ts';
import type { ServiceHandle } from './service/service-handle.ts';
import { SharedServices } from './service/shared-services.ts';
import type { TrafficSource } from './api/traffic.ts';
import { TrafficReporter } from './traffic/traffic-reporter.ts';

const CatalogKey = z.strictObject({
  namespace: z.union([z.literal('*'), NamespaceName]).default('*'),
});

/**
 * A client of the registry: puts instances on the roll and keeps live pictures of services. It opens no connection
 * before the first registration or service. Close it when done: registrations keep the process alive, and so does
 * watching with `keepAlive`.
 */
export class Rollcall extends RegistrationClient {
  /**
   * The process's `fetch`, for which `http://<service>.rollcall` leads to an instance of the service, as
   * {@link Service.fetch} does. Other urls are fetched as ever, and reject with `invalid_host` when options of a call are
   * given. It may be passed on as a function.
   */
  readonly fetch: (
    input: string | URL | Request,
    init?: RequestInit,
    options?: CallSettings,
  ) => Promise<Response>;
  readonly #directories = new Map<string, Directory>();
  readonly #services: SharedServices;
  readonly #hosts: ServiceHosts<LiveService>;
  readonly #traffic: TrafficReporter;

  /** Throws an error as {@link RegistrationClient} does. */
  constructor(options: RollcallOptions) {
    super(options);
    this.#services = new SharedServices(this.options.runtime);
    this.#traffic = new TrafficReporter(this.api, this.options);
    const { hostSuffix, calls, runtime, namespace } = this.options;
    this.#hosts = new ServiceHosts(hostSuffix, (host) => this.#liveServiceOf(host));
    this.fetch = hostFetch(
      (url) => this.#hosts.at(url),
      (service, input, init, settings) =>
        service.fetch(input, init, fetchTermsOf(service.dispatcher.rules, settings)),
      () => globalThis.fetch,
    );
    setReach(this, {
      hostSuffix,
      calls,
      runtime,
      namespace,
      dispatcherAt: (origin) => this.#dispatcherAt(origin),
      open: (name, where, usualPort) => this.#open(name, where, usualPort),
    });
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
    return createInterceptor((origin) => this.#dispatcherAt(origin));
  }

  /** The live pictures of every service of one namespace, or of all namespaces: for DNS servers and proxies. */
  catalog(options: CatalogOptions = {}): Catalog {
    this.throwIfClosed();
    const { namespace } = parseOptions(CatalogKey, options);
    const directory = this.#directory(namespace);
    return directory.catalog(() => this.#leave(directory));
  }

  /**
   * Reports the calls to a service that are made by other means, such as a balancer's, for `rollcall top`. Calls through
   * {@link service} are reported anyway. Returns a function that ends it.
   */
  reportTraffic(source: TrafficSource): () => void {
    this.throwIfClosed();
    return this.#traffic.add(source);
  }

  protected override async closeLookups(): Promise<void> {
    this.#traffic.close();
    await this.#services.close();
    for (const directory of this.#directories.values()) directory.close();
  }

  #open(name: string, options: ServiceOptions, usualPort?: string): ServiceHandle {
    const { key, create, limits } = this.#service(name, options, usualPort);
    return this.#services.openHandle(key, create, limits);
  }

  #service(name: string, given: ServiceOptions, usualPort?: string) {
    this.throwIfClosed();
    const { parsed, key, limits } = parseService(name, given, { ...this.options, usualPort });
    const create = () => {
      const directory = this.#directoryOf(parsed.namespace);
      return new LiveService(name, parsed as ServiceOptions, {
        options: this.options,
        directory,
        reach: (origin) => this.#dispatcherAt(origin),
        report: (source) => this.#traffic.add(source),
        usualPort,
        onClosed: () => this.#leave(directory),
      });
    };
    return { key, create, limits };
  }

  #dispatcherAt(origin: string): ServiceDispatcher | undefined {
    return this.#hosts.at(origin)?.dispatcher;
  }

  #liveServiceOf({ service, namespace, scheme }: ServiceHost): LiveService {
    const where = namespace === undefined ? {} : { namespace };
    const { key, create } = this.#service(service, { scheme, ...where });
    return this.#services.shared(key, create);
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
    const directory = new Directory(this.api, this.options, namespace);
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
}
