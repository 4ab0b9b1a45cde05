import type { DeclaredPort, DeclaredService, Endpoint } from '@rollcall/contract';
import type { Catalog, CatalogChange } from '../api/catalog.ts';
import type { ServiceSnapshot } from '../api/service.ts';

/** A catalog whose pictures the test sets. */
export class FakeCatalog implements Catalog {
  isReady = false;
  isClosed = false;
  #revision = 0;
  readonly #snapshots = new Map<string, ServiceSnapshot>();
  readonly #listeners = new Set<(change: CatalogChange) => void>();

  async ready(): Promise<void> {}

  service(namespace: string, name: string): ServiceSnapshot | undefined {
    return this.#snapshots.get(`${namespace}/${name}`);
  }

  services(): Iterable<ServiceSnapshot> {
    return this.#snapshots.values();
  }

  ageMs(): number {
    return this.isReady ? 0 : Infinity;
  }

  on(_event: 'change', listener: (change: CatalogChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.isClosed = true;
  }

  show(service: string, declared: DeclaredService | null, endpoints: readonly Endpoint[]): void {
    this.isReady = true;
    const revision = String(++this.#revision);
    const snapshot = { namespace: 'default', service, revision, declared, endpoints };
    this.#snapshots.set(`default/${service}`, snapshot);
    this.#tell({ namespace: 'default', service, snapshot });
  }

  /** The same declaration with other endpoints. */
  showEndpoints(service: string, endpoints: readonly Endpoint[]): void {
    this.show(service, this.service('default', service)?.declared ?? null, endpoints);
  }

  remove(service: string): void {
    this.#snapshots.delete(`default/${service}`);
    this.#tell({ namespace: 'default', service, snapshot: undefined });
  }

  #tell(change: CatalogChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

export function declaredPort(port: number, changes: Partial<DeclaredPort> = {}): DeclaredPort {
  return {
    name: '',
    protocol: 'TCP',
    port,
    targetPort: port,
    nodePort: 0,
    appProtocol: '',
    ...changes,
  };
}

export function declare(
  clusterIP: string,
  ports: readonly DeclaredPort[],
  changes: Partial<DeclaredService> = {},
): DeclaredService {
  return {
    type: 'ClusterIP',
    isHeadless: false,
    hasSelector: true,
    clusterIPs: clusterIP === '' ? [] : [clusterIP],
    externalName: '',
    ports: [...ports],
    externalIPs: [],
    loadBalancerIP: '',
    loadBalancerIPs: [],
    loadBalancerClass: '',
    loadBalancerSourceRanges: [],
    affinityMs: 0,
    publishNotReadyAddresses: false,
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    trafficDistribution: '',
    scheduler: '',
    isUnproxied: false,
    ...changes,
  };
}

export function endpoint(
  instance: string,
  port: number,
  changes: Partial<Endpoint> = {},
): Endpoint {
  return {
    id: `${instance}/${changes.portName ?? ''}`,
    instance,
    address: '127.0.0.1',
    port,
    portName: '',
    protocol: 'TCP',
    containerPort: port,
    zone: '',
    weight: 100,
    labels: {},
    state: 'up',
    reason: '',
    ready: true,
    serving: true,
    terminating: false,
    tier: 0,
    ...changes,
  };
}
