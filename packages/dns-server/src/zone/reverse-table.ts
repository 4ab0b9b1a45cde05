import { serviceKeyOf } from '@rollcall/client-sdk';
import { TYPE } from '../wire/codes.ts';
import { type RecordSet, recordSet } from './record-set.ts';
import { canonicalAddress } from './reverse-name.ts';
import type { ServiceTable } from './service-table.ts';

/** Maximum number of names per address: on a laptop every instance may have 127.0.0.1. */
const MAX_NAMES = 16;

/**
 * Names by address. Reverse lookups are rare and changes are frequent, so changes are only noted,
 * and applied at the next lookup.
 */
export class ReverseTable {
  readonly #services: ServiceTable;
  readonly #ttl: number;
  readonly #changed = new Map<string, readonly [namespace: string, service: string]>();
  /** Address -> service -> names; a name of a cluster IP is in {@link #clusters} instead. */
  readonly #names = new Map<string, Map<string, Set<string>>>();
  readonly #clusters = new Map<string, Map<string, Set<string>>>();
  readonly #addressesOf = new Map<string, ReadonlySet<string>>();

  constructor(services: ServiceTable, ttl: number) {
    this.#services = services;
    this.#ttl = ttl;
  }

  changed(namespace: string, service: string): void {
    this.#changed.set(serviceKeyOf({ namespace, service }), [namespace, service]);
  }

  /** Whether an instance in the namespace has the address. */
  isInstance(address: string, namespace: string): boolean {
    this.#catchUp();
    const byService = this.#names.get(canonicalAddress(address) ?? '');
    return [...(byService?.keys() ?? [])].some((key) => key.startsWith(`${namespace}/`));
  }

  #catchUp(): void {
    for (const [key, [namespace, service]] of this.#changed) this.#renew(key, namespace, service);
    this.#changed.clear();
  }

  /** PTR records of an address in canonical form; undefined when no service has it. */
  find(address: string): RecordSet | undefined {
    this.#catchUp();
    const byService = this.#clusters.get(address) ?? this.#names.get(address);
    if (byService === undefined) return undefined;
    const names = new Set([...byService.values()].flatMap((some) => [...some]));
    const targets = [...names].toSorted().slice(0, MAX_NAMES);
    return recordSet({
      answers: targets.map((target) => ({ type: TYPE.PTR, ttl: this.#ttl, target })),
    });
  }

  #renew(key: string, namespace: string, service: string): void {
    for (const address of this.#addressesOf.get(key) ?? []) {
      for (const table of [this.#names, this.#clusters]) {
        const byService = table.get(address);
        byService?.delete(key);
        if (byService?.size === 0) table.delete(address);
      }
    }
    this.#addressesOf.delete(key);
    const addresses = new Set<string>();
    for (const pointer of this.#services.records(namespace, service)?.pointers ?? []) {
      const address = canonicalAddress(pointer.address);
      if (address === undefined) continue;
      addresses.add(address);
      const table = pointer.isCluster === true ? this.#clusters : this.#names;
      const byService = table.get(address) ?? new Map<string, Set<string>>();
      table.set(address, byService);
      const names = byService.get(key) ?? new Set();
      byService.set(key, names.add(pointer.name));
    }
    if (addresses.size > 0) this.#addressesOf.set(key, addresses);
  }
}
