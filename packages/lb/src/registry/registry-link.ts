import { type Catalog, type ReplyOf, Rollcall, RollcallError } from '@rollcall/client-sdk';
import { clientOptions, logConnection, type Tell } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { ReportPort } from '@rollcall/service-plane';
import { isDeepStrictEqual } from 'node:util';
import type { RegistryConfig, TargetGroupConfig } from '../config/schema.ts';
import { RollcallSource } from '../groups/rollcall-source.ts';
import type { TargetSource } from '../groups/target-source.ts';
import type { IngressReportPort } from '../ingress/ingress-reports.ts';
import type { SecretSource } from '../ingress/ingress-secrets.ts';
import { NO_STEP, type Step } from '../reload/step.ts';
import { ReplaceableCatalog } from './replaceable-catalog.ts';
import { ReplaceableService } from './replaceable-service.ts';
import { ReplaceableSource } from './replaceable-source.ts';

type TrafficSource = Parameters<Rollcall['reportTraffic']>[0];

const NO_REVISION = 0n;
const byValue = (a: bigint, b: bigint) => (a < b ? -1 : 1);

export interface RegistryLinkParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Tell;
}

/**
 * What follows the registry; nothing, if the configuration has none. Another registry, or another token, takes the place of
 * the last one under way.
 */
export class RegistryLink {
  readonly #parts: RegistryLinkParts;
  readonly #sources = new Map<
    ReplaceableSource,
    { readonly wanted: Wanted; readonly client: Rollcall }
  >();
  readonly #services = new Map<ReplaceableService, ServiceRef>();
  readonly #traffic = new Map<TrafficSource, () => void>();
  #catalog: { readonly namespace: string; readonly shown: ReplaceableCatalog } | undefined;
  #config: RegistryConfig | undefined;
  /** Undefined: there is no registry. */
  #client: Rollcall | undefined;
  /** The client that is about to take its place. */
  #next: Rollcall | undefined;

  /** @throws an error when the client refuses its options. */
  constructor(config: RegistryConfig | undefined, parts: RegistryLinkParts) {
    this.#parts = parts;
    this.#config = config;
    this.#client = config === undefined ? undefined : this.#connect(config);
  }

  get #current(): Rollcall {
    if (this.#client === undefined) throw new Error('the configuration has no registry');
    return this.#client;
  }

  get isUnreachable(): boolean {
    return this.#client?.connection === 'unreachable';
  }

  /** Where reports about services go. */
  get reports(): ReportPort {
    return {
      report: (...given) => this.#current.report(...given),
      withdrawReport: (...given) => this.#current.withdrawReport(...given),
    };
  }

  /** Where reports about Ingresses go. */
  get ingressReports(): IngressReportPort {
    return {
      report: ({ namespace: ns, name: ingress }, reporter, { loadBalancer, forMs }) =>
        this.#current.call('putIngressReport', {
          params: { ns, ingress, reporter },
          body: { loadBalancer: [...loadBalancer], forMs },
        }),
      withdraw: ({ namespace: ns, name: ingress }, reporter) =>
        this.#current.call('deleteIngressReport', { params: { ns, ingress, reporter } }),
    };
  }

  /** Where Secrets are read from. */
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
        const { data } = await this.#current.call('readSecret', { params: { ns, secret } });
        const textOf = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
        return { cert: textOf('tls.crt'), key: textOf('tls.key') };
      },
    };
  }

  source(name: string, { namespace, port }: TargetGroupConfig): TargetSource {
    const wanted = { name, namespace, port };
    const client = this.#next ?? this.#current;
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
    const shown = new ReplaceableService(this.#current.service(service, { namespace }), (one) =>
      this.#services.delete(one),
    );
    this.#services.set(shown, wanted);
    return shown;
  }

  /** The declared Ingresses and HTTPRoutes as they are now. `*`: of all namespaces. */
  async routes(namespace: string): Promise<ReplyOf<'listManifests'>> {
    const lists = await Promise.all([
      this.#list('Ingress', namespace),
      this.#list('HTTPRoute', namespace),
    ]);
    const revisions = lists.map(({ metadata }) => BigInt(metadata.resourceVersion));
    // The result is as old as the older list. That of a kind which the registry does not know has no revision.
    const [oldest = 0n] = revisions.filter((one) => one !== NO_REVISION).toSorted(byValue);
    return {
      ...lists[0],
      metadata: { resourceVersion: String(oldest) },
      items: lists.flatMap(({ items }) => items),
    };
  }

  /** The declared classes of Ingresses. `namespace`: one that the token may read; they are in none. */
  ingressClasses(namespace: string): Promise<ReplyOf<'listManifests'>> {
    return this.#list('IngressClass', namespace);
  }

  /** May be called once. */
  catalog(namespace: string): Catalog {
    const shown = new ReplaceableCatalog(this.#current.catalog({ namespace }), this.#parts.clock);
    this.#catalog = { namespace, shown };
    return shown;
  }

  /** Reports the calls of a source. Returns a function that ends it. */
  reportTraffic(source: TrafficSource): () => void {
    this.#traffic.set(source, this.#current.reportTraffic(source));
    return () => {
      this.#traffic.get(source)?.();
      this.#traffic.delete(source);
    };
  }

  /** @throws an error when the client refuses its options. */
  prepare(config: RegistryConfig | undefined): Step {
    if (isDeepStrictEqual(config, this.#config)) return NO_STEP;
    if (config === undefined) return { commit: () => this.#leave(), undo() {} };
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

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** What has followed it is about to be closed, and shows its last picture until then. */
  #leave(): void {
    for (const [source, end] of this.#traffic) {
      end();
      this.#traffic.set(source, () => {});
    }
    void this.#client?.close();
    this.#config = undefined;
    this.#client = undefined;
  }

  /** An older registry, during an upgrade, may not know a kind. */
  async #list(kind: string, namespace: string): Promise<ReplyOf<'listManifests'>> {
    try {
      return await this.#current.call('listManifests', { params: { ns: namespace, kind } });
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
    void last?.close();
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
