import {
  type Catalog,
  type CatalogChange,
  serviceKeyOf,
  type ServiceSnapshot,
} from '@rollcall/client-sdk';
import type { Clock } from '@rollcall/runtime';

type Listener = (change: CatalogChange) => void;

interface KeptPictures {
  readonly snapshots: ReadonlyMap<string, ServiceSnapshot>;
  readonly ageMs: number;
  readonly sinceMs: number;
}

const isDone = () => true;
const isNotDone = () => false;

/** A catalog that may be replaced: until the new one is complete, the last pictures of the old one are shown. */
export class ReplaceableCatalog implements Catalog {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #listeners = new Set<Listener>();
  #current: Catalog;
  #kept: KeptPictures | undefined;
  #endChanges: () => void;

  constructor(catalog: Catalog, clock: Pick<Clock, 'monotonicMs'>) {
    this.#current = catalog;
    this.#clock = clock;
    this.#endChanges = catalog.on('change', (change) => this.#notify(change));
  }

  get isReady(): boolean {
    return this.#kept !== undefined || this.#current.isReady;
  }

  replace(next: Catalog): void {
    if (this.isReady) {
      const services = [...this.services()];
      this.#kept = {
        snapshots: new Map(services.map((snapshot) => [serviceKeyOf(snapshot), snapshot])),
        ageMs: this.ageMs(),
        sinceMs: this.#clock.monotonicMs(),
      };
    }
    this.#endChanges();
    this.#current.close();
    this.#current = next;
    this.#endChanges = next.on('change', (change) => {
      if (this.#kept === undefined) this.#notify(change);
    });
    void this.#await(next);
  }

  async ready(options?: { readonly signal?: AbortSignal }): Promise<void> {
    if (!this.isReady) await this.#current.ready(options);
  }

  service(namespace: string, name: string): ServiceSnapshot | undefined {
    return this.#kept === undefined
      ? this.#current.service(namespace, name)
      : this.#kept.snapshots.get(serviceKeyOf({ namespace, service: name }));
  }

  services(): Iterable<ServiceSnapshot> {
    return this.#kept?.snapshots.values() ?? this.#current.services();
  }

  ageMs(): number {
    const kept = this.#kept;
    if (kept === undefined) return this.#current.ageMs();
    return kept.ageMs + this.#clock.monotonicMs() - kept.sinceMs;
  }

  on(_event: 'change', listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#endChanges();
    this.#current.close();
  }

  /** Once the new one is complete, what it shows counts. */
  async #await(next: Catalog): Promise<void> {
    // It is closed before that.
    if (!(await next.ready().then(isDone, isNotDone))) return;
    const kept = this.#kept;
    if (next !== this.#current || kept === undefined) return;
    this.#kept = undefined;
    for (const { namespace, service } of kept.snapshots.values()) {
      if (next.service(namespace, service) === undefined)
        this.#notify({ namespace, service, snapshot: undefined });
    }
    for (const snapshot of next.services()) this.#notify({ ...snapshot, snapshot });
  }

  #notify(change: CatalogChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
