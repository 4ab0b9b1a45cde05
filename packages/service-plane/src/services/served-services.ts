import {
  type Catalog,
  type CatalogChange,
  type DeclaredService,
  serviceKeyOf,
  type ServiceKey,
} from '@rollcall/client-sdk';
import type { Report } from '../reports/service-reports.ts';
import type { ServedService } from './served-service.ts';

/** A service that a program serves and reports about. */
export interface ReportingService extends ServedService {
  /**
   * Called when its declaration or the state of its addresses changed. Returns the new report; undefined = none yet.
   */
  makeReport(): Report | undefined;
}

/** Which services a program serves, and how. */
export interface ServiceKind<S extends ReportingService> {
  serves(declared: DeclaredService): boolean;
  create(key: ServiceKey, declared: DeclaredService): S;
}

/** Gets the reports about services. */
export interface ReportListener {
  onReport(key: ServiceKey, report: Report): void;
  onGone(key: ServiceKey): void;
}

/** Serves the declared services of a catalog. A change costs work only for its own service. */
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

  /** The state of a service's addresses has changed. */
  addressesChanged(key: ServiceKey): void {
    const report = this.#services.get(key)?.makeReport();
    if (report !== undefined) this.#listener.onReport(key, report);
  }

  /** Stops following the catalog. Services that are served stay served. */
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
    served.update(declared, snapshot.endpoints);
    // A change of endpoints alone makes no new report.
    if (before !== declared) this.addressesChanged(key);
  }

  #forget(key: ServiceKey): void {
    const known = this.#services.get(key);
    if (known === undefined) return;
    this.#services.delete(key);
    known.withdraw();
    this.#listener.onGone(key);
  }
}
