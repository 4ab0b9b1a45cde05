import type { ServiceSnapshot } from '@rollcall/client-sdk';
import type { NamedRecords } from './named-records.ts';
import type { ZoneOptions } from './zone-options.ts';
import { recordsOf } from './service-records.ts';

/** The latest snapshot of each service; its records are created at the first question after a change. */
export class ServiceTable {
  readonly #naming: ZoneOptions;
  readonly #namespaces = new Map<string, Map<string, ServiceSnapshot>>();
  readonly #made = new WeakMap<ServiceSnapshot, NamedRecords>();

  constructor(naming: ZoneOptions) {
    this.#naming = naming;
  }

  get size(): number {
    let size = 0;
    for (const services of this.#namespaces.values()) size += services.size;
    return size;
  }

  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace);
  }

  has(namespace: string, service: string): boolean {
    return this.#namespaces.get(namespace)?.has(service) === true;
  }

  /** True when the service is new. */
  put(snapshot: ServiceSnapshot): boolean {
    const { namespace, service } = snapshot;
    const services = this.#namespaces.get(namespace) ?? new Map<string, ServiceSnapshot>();
    this.#namespaces.set(namespace, services);
    const isNew = !services.has(service);
    services.set(service, snapshot);
    return isNew;
  }

  remove(namespace: string, service: string): void {
    const services = this.#namespaces.get(namespace);
    services?.delete(service);
    if (services?.size === 0) this.#namespaces.delete(namespace);
  }

  records(namespace: string, service: string): NamedRecords | undefined {
    const snapshot = this.#namespaces.get(namespace)?.get(service);
    if (snapshot === undefined) return undefined;
    const known = this.#made.get(snapshot);
    if (known !== undefined) return known;
    const records = recordsOf(snapshot, this.#naming);
    this.#made.set(snapshot, records);
    return records;
  }
}
