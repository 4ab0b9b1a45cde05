import { ProblemError, type ServiceReport, serviceKeyOf } from '@rollcall/contract';
import { putOne } from '../../store/put-one.ts';
import type { Store } from '../../store/store.ts';
import { committed, type Committed } from '../committed.ts';
import type { Picture } from '../../picture/picture.ts';
import type { StoredReport } from '../../picture/declared/declarations.ts';
import { keyOfReport } from '../../picture/declared/object-key.ts';

/** Identifies the report of one reporter about a service. */
export interface ReportRef {
  readonly namespace: string;
  readonly service: string;
  readonly reporter: string;
}

/** Reports of data planes about declared services. A report expires unless the data plane repeats it. */
export class Reports {
  readonly #store: Store;
  readonly #picture: Picture;

  constructor(store: Store, picture: Picture) {
    this.#store = store;
    this.#picture = picture;
  }

  /** Throws `service_not_found` when the service is not declared. */
  async put(ref: ReportRef, report: ServiceReport): Promise<Committed<{ revision: string }>> {
    const { namespace, service, reporter } = ref;
    if (
      this.#picture.roll?.declarations.service(serviceKeyOf({ namespace, service })) === undefined
    ) {
      const message = `service ${service} in namespace ${namespace} is not declared`;
      throw new ProblemError('service_not_found', message, { field: 'svc' });
    }
    const item = {
      key: keyOfReport(namespace, service, reporter),
      value: JSON.stringify(report),
      forMs: report.forMs,
      why: 'reported',
    } as const;
    const { revision } = await putOne(this.#store, item, this.#picture.revision);
    return this.#committed(revision);
  }

  /** Withdrawing a report that never existed, or has expired, is not an error. */
  async withdraw({
    namespace,
    service,
    reporter,
  }: ReportRef): Promise<Committed<{ revision: string }>> {
    const key = keyOfReport(namespace, service, reporter);
    const outcome = await this.#store.remove({ key, floor: this.#picture.revision });
    return this.#committed(outcome.kind === 'changed' ? outcome.revision : this.#picture.revision);
  }

  list(namespace: string, service: string): StoredReport[] {
    const reports =
      this.#picture.roll?.declarations.reports(serviceKeyOf({ namespace, service })) ?? [];
    return [...reports].toSorted((a, b) => (a.reporter < b.reporter ? -1 : 1));
  }

  #committed(revision: number): Promise<Committed<{ revision: string }>> {
    return committed(this.#picture, { revision: String(revision) }, revision);
  }
}
