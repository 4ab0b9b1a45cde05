import type { Lease } from '@rollcall/contract';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { Holds } from './holds.ts';
import { type LeaseHolder, LeaseKeeper } from './lease-keeper.ts';

/** Keeps the leases of all registrations of a client: shared heartbeats, shared holds. */
export class Registrar {
  readonly client: RegistryApi;
  readonly options: ResolvedOptions;
  readonly #keeper: LeaseKeeper;
  readonly #holds: Holds;
  readonly #holders = new Map<string, LeaseHolder>();

  constructor(client: RegistryApi, options: ResolvedOptions) {
    this.client = client;
    this.options = options;
    this.#keeper = new LeaseKeeper(client, options);
    this.#holds = new Holds(client, options, {
      onUnknown: (lease) => this.#holders.get(lease)?.onUnknown(lease),
      onSuperseded: (lease) => this.#holders.get(lease)?.onSuperseded(lease),
      onLost: () => this.#keeper.renewNow(),
    });
  }

  keep(lease: Lease, holder: LeaseHolder): void {
    this.#holders.set(lease.id, holder);
    this.#keeper.add(lease, holder);
    this.#holds.add(lease.id);
  }

  /** Stops the heartbeats of a lease. Its hold stays until {@link dropLease}, once the lease is off the roll. */
  silence(lease: string): void {
    this.#keeper.remove(lease);
  }

  dropLease(lease: string): void {
    this.#holders.delete(lease);
    this.#keeper.remove(lease);
    this.#holds.remove(lease);
  }

  close(): void {
    this.#keeper.close();
    this.#holds.close();
    this.#holders.clear();
  }
}
