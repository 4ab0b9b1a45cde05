import { RollcallError } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import type { Clock, Timer } from '@rollcall/runtime';
import { type FollowedService, ServicePorts, type ServiceRef } from '../backends/service-ports.ts';
import type { IngressConfig } from '../config/ingress-schema.ts';
import {
  type HttpRouteObject,
  httpRouteOf,
  sectionsOf,
  servicesOf,
} from '../gateway/http-route-object.ts';
import { rulesOfHttpRoutes } from '../gateway/rules-of-http-routes.ts';
import type { SecretCertificate } from '../tls/files/secret-certificate.ts';
import { DeclaredRoutes } from './declared-routes.ts';
import { controllersOf, type IngressObject, ingressOf } from './ingress-object.ts';
import type { IngressSecrets } from './ingress-secrets.ts';
import { type Controllers, meantIngresses } from './meant-ingresses.ts';
import { rulesOfIngresses } from './rules-of-ingress.ts';

/** How often the Ingresses are listed, in ms: the registry has no stream of them. */
const LIST_MS = 2_000;
/** Changes that come within this belong together, in ms. */
const TOGETHER_MS = 100;
/** How long a change waits for the ports of its services, in ms. */
const PORTS_MS = 1_000;
/** How long a list that is older than the last one does not count, in ms. */
const OLDER_MS = 15_000;

/** A list of the registry, and how new it is. */
interface IngressList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly unknown[];
}

export interface IngressFollowerParts {
  readonly clock: Clock;
  readonly log: Tell;
  /** `*`: of all namespaces. */
  readonly list: (namespace: string) => Promise<IngressList>;
  readonly listClasses: (namespace: string) => Promise<IngressList>;
  readonly secrets: IngressSecrets;
  readonly followService: (service: ServiceRef) => FollowedService;
  /** Gets a fault of the program. */
  readonly onFault: (error: unknown) => void;
}

interface Known {
  readonly revision: string;
  readonly ingresses: readonly IngressObject[];
  readonly controllers: Controllers;
  /** Of the Secrets that they name. */
  readonly secrets: string;
  readonly httpRoutes: readonly HttpRouteObject[];
}

/**
 * Knows the Ingresses of the registry, and the ports of the services that they name. While the registry is away the
 * last known ones hold.
 */
export class IngressFollower {
  readonly #parts: IngressFollowerParts;
  readonly #ports: ServicePorts;
  readonly #waiting: (() => void)[] = [];
  #settings: IngressConfig | undefined;
  #usesSecrets = false;
  #onChange: () => void = () => {};
  #known: Known | undefined;
  #olderSinceMs: number | undefined;
  #lists: Timer | undefined;
  #change: Timer | undefined;
  #changedMs = 0;
  #isListing = false;
  #isTroubled = false;
  #isClosed = false;

  constructor(parts: IngressFollowerParts) {
    this.#parts = parts;
    this.#ports = new ServicePorts(parts.followService, () => this.#changed());
  }

  /** Whether the routes are known, or there are none to know. */
  get isReady(): boolean {
    return this.#settings === undefined || (this.#known !== undefined && this.#ports.isComplete);
  }

  /** `onChange`: called after each change, never before the routes are known. */
  start(settings: IngressConfig | undefined, usesSecrets: boolean, onChange: () => void): void {
    this.#onChange = onChange;
    this.configure(settings, usesSecrets);
  }

  /** Other settings hold from now on. `usesSecrets`: whether certificates are needed. */
  configure(settings: IngressConfig | undefined, usesSecrets: boolean): void {
    if (this.#isClosed) return;
    this.#usesSecrets = usesSecrets;
    const isOther = settings?.namespace !== this.#settings?.namespace;
    this.#settings = settings;
    this.#followPorts();
    if (settings === undefined) {
      this.#lists?.cancel();
      this.#lists = undefined;
      this.#known = undefined;
    } else {
      this.#lists ??= this.#parts.clock.every(LIST_MS, () => void this.#list());
      if (isOther) void this.#list();
    }
    this.#wake();
  }

  /** Resolves once the routes are known. */
  async ready(): Promise<void> {
    if (!this.isReady) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  /** Those that a balancer with these settings routes by, the oldest first. Undefined: they are not known yet. */
  meant(settings: IngressConfig | undefined): readonly IngressObject[] | undefined {
    if (settings === undefined || this.#known === undefined) return undefined;
    return meantIngresses(this.#known.ingresses, this.#known.controllers, settings);
  }

  /** The certificates that their Secrets have. */
  certificates(settings: IngressConfig | undefined): readonly SecretCertificate[] {
    if (!this.#usesSecrets) return [];
    return this.#parts.secrets.certificatesOf(this.meant(settings) ?? []);
  }

  /** What is wrong with their Secrets. */
  secretNotes(settings: IngressConfig | undefined): readonly string[] {
    if (!this.#usesSecrets) return [];
    return this.#parts.secrets.notesOf(this.meant(settings) ?? []);
  }

  /** The declared classes. */
  get controllers(): Controllers {
    return this.#known?.controllers ?? new Map();
  }

  /** What becomes of them. Undefined: it is not known yet. */
  routes(settings: IngressConfig | undefined): DeclaredRoutes | undefined {
    const meant = this.meant(settings);
    if (meant === undefined || settings === undefined) return undefined;
    const { nameOf } = this.#ports;
    return new DeclaredRoutes(
      rulesOfIngresses(meant, nameOf),
      rulesOfHttpRoutes(this.#httpRoutesFor(settings), settings.gateway, nameOf),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#lists?.cancel();
    this.#change?.cancel();
    this.#ports.close();
  }

  async #list(): Promise<void> {
    // A slow registry must not be asked again meanwhile.
    if (this.#isListing || this.#settings === undefined) return;
    this.#isListing = true;
    const { namespace } = this.#settings;
    try {
      const { list, listClasses } = this.#parts;
      const [listed, classes] = await Promise.all([list(namespace), listClasses(namespace)]);
      this.#isTroubled = false;
      const { resourceVersion: revision } = listed.metadata;
      if (this.#isBehind(revision)) return;
      const ingresses = listed.items.flatMap((item) =>
        isHttpRoute(item) ? [] : (ingressOf(item) ?? []),
      );
      const httpRoutes = listed.items.flatMap((item) => httpRouteOf(item) ?? []);
      const controllers = controllersOf(classes.items);
      const secrets = await this.#readSecrets(ingresses, controllers);
      if (!this.#isClosed && this.#settings?.namespace === namespace)
        this.#take({ revision, ingresses, controllers, secrets, httpRoutes });
    } catch (error) {
      if (!this.#isClosed) this.#note(error);
    } finally {
      this.#isListing = false;
    }
  }

  /** The version of the Secrets that are needed. */
  async #readSecrets(all: readonly IngressObject[], controllers: Controllers): Promise<string> {
    const { secrets } = this.#parts;
    const settings = this.#settings;
    if (settings === undefined || !this.#usesSecrets) return '';
    await secrets.update(meantIngresses(all, controllers, settings), settings.namespace);
    return secrets.version;
  }

  #take(next: Known): void {
    const known = this.#known;
    this.#known = next;
    if (known !== undefined && versionsOf(known) === versionsOf(next)) return;
    this.#followPorts();
    this.#changed();
  }

  /**
   * A server that is behind shows older lists for a moment. So does a store that has lost its memory; what it shows
   * counts once that has lasted, as with the endpoints of services.
   */
  #isBehind(revision: string): boolean {
    if (this.#known === undefined || !isOlder(revision, this.#known.revision)) {
      this.#olderSinceMs = undefined;
      return false;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    this.#olderSinceMs ??= nowMs;
    if (nowMs - this.#olderSinceMs < OLDER_MS) return true;
    this.#olderSinceMs = undefined;
    return false;
  }

  #followPorts(): void {
    const settings = this.#settings;
    const ofIngresses = (this.meant(settings) ?? []).flatMap(numberedServices);
    this.#ports.follow([...ofIngresses, ...this.#httpRoutesFor(settings).flatMap(servicesOf)]);
  }

  /** Those that are for the gateway that a balancer with these settings is. */
  #httpRoutesFor(settings: IngressConfig | undefined): HttpRouteObject[] {
    if (settings === undefined) return [];
    const { namespace, gateway } = settings;
    return (this.#known?.httpRoutes ?? []).filter(
      (one) =>
        (namespace === '*' || one.namespace === namespace) &&
        sectionsOf(one, gateway) !== undefined,
    );
  }

  #changed(): void {
    this.#wake();
    if (this.#change !== undefined || this.#isClosed) return;
    this.#changedMs = this.#parts.clock.monotonicMs();
    this.#settle();
  }

  /** Waits until no more changes are expected. */
  #settle(): void {
    const { clock } = this.#parts;
    this.#change = clock.after(TOGETHER_MS, () => {
      this.#change = undefined;
      if (!this.#ports.isComplete && clock.monotonicMs() - this.#changedMs < PORTS_MS)
        this.#settle();
      else this.#onChange();
    });
  }

  #wake(): void {
    if (!this.isReady) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Once for each series of failures. That nobody answers is in the log already. */
  #note(error: unknown): void {
    const isFirst = !this.#isTroubled;
    this.#isTroubled = true;
    if (!(error instanceof RollcallError)) this.#parts.onFault(error);
    else if (isFirst && error.code !== 'registry_unreachable') {
      const message = `the Ingresses cannot be read, the last known ones stay: ${error.message}`;
      this.#parts.log(message, 'error');
    }
  }
}

const isHttpRoute = (item: unknown) =>
  (item as { readonly kind?: unknown } | null | undefined)?.kind === 'HTTPRoute';

/** Revisions are decimal numbers of any size. */
function isOlder(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

function versionsOf({ ingresses, httpRoutes, controllers, secrets }: Known): string {
  const versions = [...ingresses, ...httpRoutes].map(
    (one) => `${one.namespace}/${one.name} ${one.uid} ${one.resourceVersion}`,
  );
  const classes = Array.from(controllers, (pair) => pair.join(' '));
  return [...versions, ...classes, secrets].join('\n');
}

/** The services that an Ingress names with the number of a port. */
function numberedServices({ namespace, rules, defaultBackend }: IngressObject): ServiceRef[] {
  const paths = rules.flatMap(({ http }) => http?.paths ?? []);
  const backends = [
    ...paths.map(({ backend }) => backend),
    ...(defaultBackend ? [defaultBackend] : []),
  ];
  return backends.flatMap(({ service }) =>
    service === undefined || service.port.name !== undefined
      ? []
      : [{ namespace, service: service.name }],
  );
}
