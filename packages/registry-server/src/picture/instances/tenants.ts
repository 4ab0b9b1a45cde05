import { instanceKeyOf, serviceKeyOfInstance } from '@rollcall/contract';
import { type InstanceRecord } from '../../store/record.ts';

const NOTHING: ReadonlyMap<string, number> = new Map();

/** What each owner has on the roll. */
export class Tenants {
  /** Owner -> service -> how many instances. */
  readonly #services = new Map<string, Map<string, number>>();
  readonly #instances = new Map<string, number>();

  instancesOf(owner: string): number {
    return this.#instances.get(owner) ?? 0;
  }

  /** `namespace/service` -> how many instances. */
  servicesOf(owner: string): ReadonlyMap<string, number> {
    return this.#services.get(owner) ?? NOTHING;
  }

  /** Updates the counts when an instance was added, changed or removed. */
  replace(before: InstanceRecord | undefined, after: InstanceRecord | undefined): void {
    if (
      before?.body.owner === after?.body.owner &&
      (before === undefined) === (after === undefined)
    )
      return;
    if (before !== undefined) this.#add(before, -1);
    if (after !== undefined) this.#add(after, 1);
  }

  #add(record: InstanceRecord, by: 1 | -1): void {
    const { owner } = record.body;
    if (owner === undefined) return;
    const service = serviceKeyOfInstance(instanceKeyOf(record));
    const services = this.#services.get(owner) ?? new Map<string, number>();
    change(services, service, by);
    if (services.size === 0) this.#services.delete(owner);
    else this.#services.set(owner, services);
    change(this.#instances, owner, by);
  }
}

function change(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
