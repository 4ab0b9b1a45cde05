import {
  ProblemError,
  instanceKeyOf,
  type InstanceRef,
  serviceKeyOfInstance,
  type InstanceKey,
} from '@rollcall/contract';
import type { Caller } from './caller.ts';
import type { Picture } from '../picture/picture.ts';
import { ownerOf } from './caller.ts';

export interface QuotaLimits {
  /** 0 = no limit. */
  readonly maxInstancesPerToken: number;
  /** 0 = no limit. */
  readonly maxServicesPerToken: number;
}

/**
 * Limits what one token may have on the roll. Counts the picture, which every server has, plus the registrations under
 * way here. So several servers together may let in too many: as many as they register while the log travels between
 * them.
 */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #picture: Picture;
  /** Owner -> instance being registered -> number of registrations under way. */
  readonly #pending = new Map<string, Map<InstanceKey, number>>();
  readonly totals = { refused: 0 };

  constructor(limits: QuotaLimits, picture: Picture) {
    this.#limits = limits;
    this.#picture = picture;
  }

  /**
   * Reserves room for an instance; returns the function that releases it, to call when the picture shows the instance
   * or never will. Throws `quota_exceeded`. An instance that the caller already has needs no room.
   */
  reserve(caller: Caller, ref: InstanceRef): () => void {
    const { maxInstancesPerToken, maxServicesPerToken } = this.#limits;
    const owner = ownerOf(caller);
    if (owner === undefined || maxInstancesPerToken + maxServicesPerToken === 0) return () => {};
    const instanceKey = instanceKeyOf(ref);
    if (!this.#has(owner, instanceKey)) this.#check(owner, instanceKey);
    const pending = this.#pending.get(owner) ?? new Map<InstanceKey, number>();
    this.#pending.set(owner, pending.set(instanceKey, (pending.get(instanceKey) ?? 0) + 1));
    return () => {
      const left = (pending.get(instanceKey) ?? 0) - 1;
      if (left > 0) pending.set(instanceKey, left);
      else pending.delete(instanceKey);
      if (pending.size === 0) this.#pending.delete(owner);
    };
  }

  #has(owner: string, instanceKey: InstanceKey): boolean {
    const isPending = this.#pending.get(owner)?.has(instanceKey) === true;
    return isPending || this.#picture.roll?.instance(instanceKey)?.body.owner === owner;
  }

  #check(owner: string, instanceKey: InstanceKey): void {
    const { maxInstancesPerToken, maxServicesPerToken } = this.#limits;
    const { tenants } = this.#picture.roll ?? {};
    const coming = [...(this.#pending.get(owner)?.keys() ?? [])].filter(
      (one) => this.#picture.roll?.instance(one)?.body.owner !== owner,
    );
    const instances = (tenants?.instancesOf(owner) ?? 0) + coming.length;
    if (maxInstancesPerToken > 0 && instances >= maxInstancesPerToken) {
      this.#refuse(`${maxInstancesPerToken} instances`, '--max-instances-per-token', 'id');
    }
    const services = new Set([
      ...(tenants?.servicesOf(owner).keys() ?? []),
      ...coming.map(serviceKeyOfInstance),
    ]);
    const isNew = !services.has(serviceKeyOfInstance(instanceKey));
    if (maxServicesPerToken > 0 && isNew && services.size >= maxServicesPerToken) {
      this.#refuse(
        `instances of ${maxServicesPerToken} services`,
        '--max-services-per-token',
        'svc',
      );
    }
  }

  #refuse(has: string, option: string, field: string): never {
    this.totals.refused++;
    const message = `the token has ${has} on the roll, the most that ${option} allows`;
    throw new ProblemError('quota_exceeded', message, { field });
  }
}
