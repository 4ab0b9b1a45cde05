import { type Catalog, type ReplyOf, Rollcall, RollcallError } from '@rollcall/client-sdk';
import { clientOptions, logConnection, type Tell } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { ReportPort } from '@rollcall/service-plane';
import { isDeepStrictEqual } from 'node:util';
import type { Config, TargetGroupConfig } from '../config/schema.ts';
import { RollcallSource } from '../groups/rollcall-source.ts';
import type { TargetSource } from '../groups/target-source.ts';
import type { IngressReportPort } from '../ingress/ingress-reports.ts';
import type { SecretSource } from '../ingress/ingress-secrets.ts';
import { NO_STEP, type Step } from '../reload/step.ts';
import { ReplaceableCatalog } from './replaceable-catalog.ts';
import { ReplaceableService } from './replaceable-service.ts';
import { ReplaceableSource } from './replaceable-source.ts';

type RegistryConfig = Config['registry'];
type TrafficSource = Parameters<Rollcall['reportTraffic']>[0];

export interface RegistryLinkParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Tell;
}

/** What follows the registry. Another registry, or another token, takes the place of the last one under way. */
export class RegistryLink {
  readonly #parts: RegistryLinkParts;
  readonly #sources = new Map<
    ReplaceableSource,
    { readonly wanted: Wanted; readonly client: Rollcall }
  >();
  readonly #services = new Map<ReplaceableService, ServiceRef>();
  readonly #traffic = new Map<TrafficSource, () => void>();
  #catalog: { readonly namespace: string; readonly shown: ReplaceableCatalog } | undefined;
  #config: RegistryConfig;
  #client: Rollcall;
  /** The client that is about to take its place. */
  #next: Rollcall | undefined;

  /** @throws an error when the client refuses its options. */
  constructor(config: RegistryConfig, parts: RegistryLinkParts) {
    this.#parts = parts;
    this.#config = config;
    this.#client = this.#connect(config);
  }

  get isUnreachable(): boolean {
    return this.#client.connection === 'unreachable';
  }

  /** Where reports about services go. */
  get reports(): ReportPort {
    return {
      report: (...given) => this.#client.report(...given),
      withdrawReport: (...given) => this.#client.withdrawReport(...given),
    };
  }

  /** Where reports about Ingresses go. */
  get ingressReports(): IngressReportPort {
    return {
      report: ({ namespace: ns, name: ingress }, reporter, { loadBalancer, forMs }) =>
        this.#client.call('putIngressReport', {
          params: { ns, ingress, reporter },
          body: { loadBalancer: [...loadBalancer], forMs },
        }),
      withdraw: ({ namespace: ns, name: ingress }, reporter) =>
        this.#client.call('deleteIngressReport', { params: { ns, ingress, reporter } }),
    };
  }

  /** What it has of Secrets. */
  get secrets(): SecretSource {
    return {
      versions: async (namespace) => {
        const { items } = await this.#list('Secret', namespace);
        const versions = items.map(
          ({ metadata: { namespace: ns, name, uid, resourceVersion } }) => {
            return [`${ns}/${name}`, `${uid} ${resourceVersion}`] as const;
          },
        );
        return new Map(versions);
      },
      read: async ({ namespace: ns, name: secret }) => {
        const { data } = await this.#client.call('readSecret', { params: { ns, secret } });
        const textOf = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
        return { cert: textOf('tls.crt'), key: textOf('tls.key') };
      },
    };
  }

  source(group: TargetGroupConfig): TargetSource {
    const wanted = { name: group.service, namespace: group.namespace, port: group.port };
    const client = this.#next ?? this.#client;
    const { clock } = this.#parts;
    const shown = new ReplaceableSource(sourceOf(client, wanted), clock, (source) =>
      this.#sources.delete(source),
    );
    this.#sources.set(shown, { wanted, client });
    return shown;
  }

  /** Everything that is known of a service. */
  service(wanted: ServiceRef): ReplaceableService {
    const { service, namespace } = wanted;
    const shown = new ReplaceableService(this.#client.service(service, { namespace }), (one) =>
      this.#services.delete(one),
    );
    this.#services.set(shown, wanted);
    return shown;
  }

  /** The declared Ingresses and HTTPRoutes as they are now. `*`: of all namespaces. */
  async routes(namespace: string): Promise<ReplyOf<'listManifests'>> {
    const [ingresses, httpRoutes] = await Promise.all([
      this.#list('Ingress', namespace),
      this.#list('HTTPRoute', namespace).catch(noneOfOlder),
    ]);
    if (httpRoutes === undefined) return ingresses;
    const items = [...ingresses.items, ...httpRoutes.items];
    // As old as the older one.
    const isFirst =
      BigInt(ingresses.metadata.resourceVersion) <= BigInt(httpRoutes.metadata.resourceVersion);
    return { ...(isFirst ? ingresses : httpRoutes), items };
  }

  /** The declared classes of Ingresses. `namespace`: one that the token may read; they are in none. */
  ingressClasses(namespace: string): Promise<ReplyOf<'listManifests'>> {
    return this.#list('IngressClass', namespace);
  }

  /** May be called once. */
  catalog(namespace: string): Catalog {
    const shown = new ReplaceableCatalog(this.#client.catalog({ namespace }), this.#parts.clock);
    this.#catalog = { namespace, shown };
    return shown;
  }

  /** Reports the calls of a source. Returns a function that ends it. */
  reportTraffic(source: TrafficSource): () => void {
    this.#traffic.set(source, this.#client.reportTraffic(source));
    return () => {
      this.#traffic.get(source)?.();
      this.#traffic.delete(source);
    };
  }

  /** @throws an error when the client refuses its options. */
  prepare(config: RegistryConfig): Step {
    if (isDeepStrictEqual(config, this.#config)) return NO_STEP;
    const next = this.#connect(config);
    this.#next = next;
    return {
      commit: () => this.#replace(config, next),
      undo: () => {
        this.#next = undefined;
        return next.close();
      },
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** An older registry, during an upgrade, may not know a kind. */
  async #list(kind: string, namespace: string): Promise<ReplyOf<'listManifests'>> {
    try {
      return await this.#client.call('listManifests', { params: { ns: namespace, kind } });
    } catch (error) {
      if (!(error instanceof RollcallError && error.code === 'kind_not_found')) throw error;
      return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '0' }, items: [] };
    }
  }

  #connect(config: RegistryConfig): Rollcall {
    const { log } = this.#parts;
    const client = new Rollcall(clientOptions(accessOf(config), log));
    logConnection(client, log, 'the targets stay as they were');
    return client;
  }

  #replace(config: RegistryConfig, next: Rollcall): void {
    const last = this.#client;
    this.#config = config;
    this.#client = next;
    this.#next = undefined;
    for (const [source, { wanted, client }] of this.#sources) {
      if (client === next) continue;
      source.replace(sourceOf(next, wanted));
      this.#sources.set(source, { wanted, client: next });
    }
    for (const [shown, { service, namespace }] of this.#services)
      shown.replace(next.service(service, { namespace }));
    for (const [source, end] of this.#traffic) {
      end();
      this.#traffic.set(source, next.reportTraffic(source));
    }
    if (this.#catalog !== undefined) {
      const { namespace, shown } = this.#catalog;
      shown.replace(next.catalog({ namespace }));
    }
    void last.close();
  }
}

interface ServiceRef {
  readonly service: string;
  readonly namespace: string;
}

interface Wanted {
  readonly name: string;
  readonly namespace: string;
  readonly port: string | undefined;
}

function sourceOf(client: Rollcall, { name, namespace, port }: Wanted): TargetSource {
  return new RollcallSource(
    client.service(name, { namespace, ...(port === undefined ? {} : { port }) }),
  );
}

function accessOf({ url, token, tokenFile, ca, cert, key }: RegistryConfig) {
  return {
    registry: url,
    token,
    tokenFile,
    registryCa: ca,
    registryCert: cert,
    registryKey: key,
  };
}

/** A server of an earlier version has no such kind. */
function noneOfOlder(error: unknown): undefined {
  if (error instanceof RollcallError && error.code === 'kind_not_found') return undefined;
  throw error;
}
