import type { Catalog, CatalogChange } from '@rollcall/client-sdk';
import type { Clock } from '@rollcall/runtime';
import {
  BalancedService,
  type BalancedServiceParts,
  type ServiceNotice,
} from './balanced-service.ts';
import { isMeant } from './placement.ts';

/** Where it is said what became of services. */
export interface ServiceBoard {
  set(key: string, notice: ServiceNotice): void;
  remove(key: string): void;
}

export interface ServiceBalancerParts extends BalancedServiceParts {
  /** Services of another class are another balancer's. */
  readonly ownClass: string;
  readonly clock: Clock;
}

/** A service that could not be placed is tried again after this, in ms. */
const RETRY_MS = 5_000;

const keyOf = (namespace: string, service: string) => `${namespace}/${service}`;

/** Gives every service of type LoadBalancer an address of this balancer, and serves it there. */
export class ServiceBalancer {
  readonly #services = new Map<string, BalancedService>();
  readonly #parts: ServiceBalancerParts;
  readonly #board: ServiceBoard;
  readonly #endChanges: () => void;
  #retryAt = 0;

  constructor(catalog: Catalog, parts: ServiceBalancerParts, board: ServiceBoard) {
    this.#parts = parts;
    this.#board = board;
    this.#endChanges = catalog.on('change', (change) => this.#follow(change));
    for (const snapshot of catalog.services()) this.#follow({ ...snapshot, snapshot });
  }

  get(key: string): BalancedService | undefined {
    return this.#services.get(key);
  }

  services(): Iterable<BalancedService> {
    return this.#services.values();
  }

  /** How the addresses of a service stand has changed. */
  review(key: string): void {
    const service = this.#services.get(key);
    if (service === undefined) return;
    service.settle();
    const notice = service.notice();
    if (notice !== undefined) this.#board.set(key, notice);
  }

  /** To be called several times a second. */
  tick(): void {
    const now = this.#parts.clock.monotonicMs();
    if (now < this.#retryAt) return;
    this.#retryAt = now + RETRY_MS;
    for (const service of this.#services.values()) {
      if (!service.isStranded) continue;
      service.tryAgain();
      this.review(service.key);
    }
  }

  /** Follows no more; what is served goes on. */
  close(): void {
    this.#endChanges();
  }

  #follow({ namespace, service, snapshot }: CatalogChange): void {
    const key = keyOf(namespace, service);
    const declared = snapshot?.declared ?? null;
    const known = this.#services.get(key);
    if (snapshot !== undefined && declared !== null && isMeant(declared, this.#parts.ownClass)) {
      const balanced = known ?? new BalancedService(key, declared, this.#parts);
      this.#services.set(key, balanced);
      balanced.take(declared, snapshot.endpoints);
      this.review(key);
    } else if (known !== undefined) {
      this.#services.delete(key);
      known.end();
      this.#board.remove(key);
    }
  }
}
