import type { Catalog, CatalogChange, Condition, ServiceSnapshot } from '@rollcall/client-sdk';
import { ProxiedService, type ProxiedServiceParts } from './proxied-service.ts';
import { isProxied } from './service-address.ts';

/** Where it is said what became of services. */
interface ConditionBoard {
  /** Replaces what was said of a service. */
  set(key: string, conditions: Condition[]): void;
  remove(key: string): void;
}

/** Where a proxy speaks. */
export interface Voices {
  readonly board: ConditionBoard;
  /** For the operator of this machine. */
  readonly log: (message: string) => void;
}

const keyOf = (namespace: string, service: string) => `${namespace}/${service}`;

/** Serves every declared service of a catalog. A change costs what the service that changed is worth, and no other. */
export class ServiceProxy {
  readonly #services = new Map<string, ProxiedService>();
  readonly #parts: ProxiedServiceParts;
  readonly #voices: Voices;
  readonly #faults = new Map<string, string>();
  readonly #endChanges: () => void;

  constructor(catalog: Catalog, parts: ProxiedServiceParts, voices: Voices) {
    this.#parts = parts;
    this.#voices = voices;
    this.#endChanges = catalog.on('change', (change) => this.#follow(change));
    for (const snapshot of catalog.services()) this.#follow({ ...snapshot, snapshot });
  }

  get size(): number {
    return this.#services.size;
  }

  services(): Iterable<ProxiedService> {
    return this.#services.values();
  }

  /** How the addresses of a service stand has changed. */
  review(key: string): void {
    const conditions = this.#services.get(key)?.conditions();
    if (conditions === undefined) return;
    this.#voices.board.set(key, conditions);
    this.#logFault(key, conditions.at(-1)!);
  }

  /** Follows no more; what is served goes on. */
  close(): void {
    this.#endChanges();
  }

  #follow({ namespace, service, snapshot }: CatalogChange): void {
    const key = keyOf(namespace, service);
    const declared = snapshot?.declared ?? null;
    if (declared === null || !isProxied(declared)) {
      this.#forget(key);
      return;
    }
    const known = this.#services.get(key);
    const proxied = known ?? new ProxiedService(key, declared, this.#parts);
    this.#services.set(key, proxied);
    const before = known?.declared;
    proxied.take(declared, (snapshot as ServiceSnapshot).endpoints);
    // Endpoints come and go without a word: only a changed declaration changes what there is to say.
    if (before !== declared) this.review(key);
  }

  #forget(key: string): void {
    const known = this.#services.get(key);
    if (known === undefined) return;
    this.#services.delete(key);
    known.end();
    this.#voices.board.remove(key);
    this.#faults.delete(key);
  }

  /** Once for each fault, and once for its end. */
  #logFault(key: string, { status, reason, message }: Condition): void {
    const fault = status === 'False' ? `${reason}: ${message}` : undefined;
    if (fault === this.#faults.get(key)) return;
    if (fault === undefined) this.#faults.delete(key);
    else this.#faults.set(key, fault);
    this.#voices.log(`${key}: ${fault ?? 'every address is served'}`);
  }
}
