import type { Catalog, CatalogChange, ServiceSnapshot } from '@rollcall/client-sdk';

/** A catalog whose content the test sets. */
export class FakeCatalog implements Catalog {
  isReady = true;
  readonly #services = new Map<string, ServiceSnapshot>();
  readonly #listeners = new Set<(change: CatalogChange) => void>();

  constructor(snapshots: readonly ServiceSnapshot[] = []) {
    for (const snapshot of snapshots) this.put(snapshot);
  }

  put(snapshot: ServiceSnapshot): void {
    const { namespace, service } = snapshot;
    this.#services.set(`${namespace}/${service}`, snapshot);
    for (const listener of this.#listeners) listener({ namespace, service, snapshot });
  }

  remove(namespace: string, service: string): void {
    this.#services.delete(`${namespace}/${service}`);
    for (const listener of this.#listeners) listener({ namespace, service, snapshot: undefined });
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  service(namespace: string, name: string): ServiceSnapshot | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  services(): Iterable<ServiceSnapshot> {
    return this.#services.values();
  }

  ageMs(): number {
    return this.isReady ? 0 : Infinity;
  }

  on(_event: 'change', listener: (change: CatalogChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }
}
