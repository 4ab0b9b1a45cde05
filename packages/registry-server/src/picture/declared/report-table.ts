import { type ServiceKey, type ServiceReport } from '@rollcall/contract';
import type { ResourceRecord } from '../../store/record.ts';
import { nameKeyOf, type ReportRef } from './object-key.ts';

/** A data plane's report about a service or an Ingress. */
export interface StoredReport extends ServiceReport {
  readonly reporter: string;
  readonly untilMs: number;
}

/** What data planes report. */
export class ReportTable {
  /** Kind, then the object's key, then the reporter. */
  readonly #reports = {
    Service: new Map<ServiceKey, Map<string, StoredReport>>(),
    Ingress: new Map<ServiceKey, Map<string, StoredReport>>(),
  };

  put(ref: ReportRef, { value, untilMs }: ResourceRecord): void {
    const { kind, reporter } = ref;
    const key = nameKeyOf(ref);
    const own = this.#reports[kind].get(key) ?? new Map<string, StoredReport>();
    const said = JSON.parse(value) as ServiceReport;
    own.set(reporter, Object.freeze({ ...said, reporter, untilMs }));
    this.#reports[kind].set(key, own);
  }

  remove(ref: ReportRef): void {
    const { kind, reporter } = ref;
    const key = nameKeyOf(ref);
    const own = this.#reports[kind].get(key);
    own?.delete(reporter);
    if (own?.size === 0) this.#reports[kind].delete(key);
  }

  /** Sorted by reporter. */
  of(kind: ReportRef['kind'], key: ServiceKey): StoredReport[] {
    const own = this.#reports[kind].get(key)?.values() ?? [];
    return [...own].toSorted((a, b) => (a.reporter < b.reporter ? -1 : 1));
  }
}
