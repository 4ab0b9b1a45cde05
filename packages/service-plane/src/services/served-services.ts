import {
  type Catalog,
  type CatalogChange,
  type DeclaredService,
  serviceKeyOf,
  type ServiceKey,
} from '@rollcall/client-sdk';
import type { Report } from '../reports/service-reports.ts';
import type { ServedService } from './served-service.ts';

/** A service that a program serves, and what there is to say of it. */
export interface ReportingService extends ServedService {
  /** How its addresses stand has changed, or what is declared: what there is to say now; undefined = nothing yet. */
  review(): Report | undefined;
}

/** Which services a program serves, and how. */
export interface ServiceKind<S extends ReportingService> {
  serves(declared: DeclaredService): boolean;
  create(key: ServiceKey, declared: DeclaredService): S;
}

/** Hears what there is to say of services. */
export interface ReportListener {
  onReport(key: ServiceKey, report: Report): void;
  onGone(key: ServiceKey): void;
}

/** Serves the declared services of a catalog. A change costs what the service that changed is worth, and no other. */
export class ServedServices<S extends ReportingService> {
  readonly #services = new Map<ServiceKey, S>();
  readonly #kind: ServiceKind<S>;
  readonly #listener: ReportListener;
  readonly #endChanges: () => void;

  constructor(catalog: Catalog, kind: ServiceKind<S>, listener: ReportListener) {
    this.#kind = kind;
    this.#listener = listener;
    this.#endChanges = catalog.on('change', (change) => this.#follow(change));
    for (const snapshot of catalog.services()) this.#follow({ ...snapshot, snapshot });
  }

  get size(): number {
    return this.#services.size;
  }

  get(key: ServiceKey): S | undefined {
    return this.#services.get(key);
  }

  services(): Iterable<S> {
    return this.#services.values();
  }

  /** How the addresses of a service stand has changed. */
  review(key: ServiceKey): void {
    const report = this.#services.get(key)?.review();
    if (report !== undefined) this.#listener.onReport(key, report);
  }

  /** Follows no more; what is served goes on. */
  close(): void {
    this.#endChanges();
  }

  #follow({ namespace, service, snapshot }: CatalogChange): void {
    const key = serviceKeyOf({ namespace, service });
    const declared = snapshot?.declared ?? null;
    if (snapshot === undefined || declared === null || !this.#kind.serves(declared)) {
      this.#forget(key);
      return;
    }
    const known = this.#services.get(key);
    const served = known ?? this.#kind.create(key, declared);
    this.#services.set(key, served);
    const before = known?.declared;
    served.take(declared, snapshot.endpoints);
    // Endpoints come and go without a word: only a changed declaration changes what there is to say.
    if (before !== declared) this.review(key);
  }

  #forget(key: ServiceKey): void {
    const known = this.#services.get(key);
    if (known === undefined) return;
    this.#services.delete(key);
    known.end();
    this.#listener.onGone(key);
  }
}
