import { ProblemError, type ServiceReport, serviceKeyOf } from '@rollcall/contract';
import { putOne } from '../../store/put-one.ts';
import type { Store } from '../../store/store.ts';
import { committed, type Committed } from '../committed.ts';
import type { Picture } from '../../picture/picture.ts';
import { keyOfReport, nameKeyOf, type ReportRef } from '../../picture/declared/object-key.ts';
import type { StoredReport } from '../../picture/declared/report-table.ts';
import { notFound } from './writing/refusals.ts';

/** Reports of data planes about declared services and Ingresses. A report expires unless the data plane repeats it. */
export class Reports {
  readonly #store: Store;
  readonly #picture: Picture;

  constructor(store: Store, picture: Picture) {
    this.#store = store;
    this.#picture = picture;
  }

  /** Throws `service_not_found`, or `object_not_found` for an Ingress, when the object is not declared. */
  async put(ref: ReportRef, report: ServiceReport): Promise<Committed<{ revision: string }>> {
    const { kind, namespace, name } = ref;
    if (this.#picture.roll?.declarations.get(kind, nameKeyOf(ref)) === undefined) {
      if (kind === 'Ingress') throw notFound({ kind, name });
      const message = `service ${name} in namespace ${namespace} is not declared`;
      throw new ProblemError('service_not_found', message, { field: 'svc' });
    }
    const item = {
      key: keyOfReport(ref),
      value: JSON.stringify(report),
      forMs: report.forMs,
      why: 'reported',
    } as const;
    const { revision } = await putOne(this.#store, item, this.#picture.revision);
    return this.#committed(revision);
  }

  /** Withdrawing a report that never existed, or has expired, is not an error. */
  async withdraw(ref: ReportRef): Promise<Committed<{ revision: string }>> {
    const key = keyOfReport(ref);
    const outcome = await this.#store.remove({ key, floor: this.#picture.revision });
    return this.#committed(outcome.kind === 'changed' ? outcome.revision : this.#picture.revision);
  }

  /** Those about a service, sorted by reporter. */
  list(namespace: string, service: string): readonly StoredReport[] {
    const key = serviceKeyOf({ namespace, service });
    return this.#picture.roll?.declarations.reports('Service', key) ?? [];
  }

  #committed(revision: number): Promise<Committed<{ revision: string }>> {
    return committed(this.#picture, { revision: String(revision) }, revision);
  }
}
