import { ProblemError } from '@rollcall/contract';
import { fieldOf, type InstanceRef, serviceOfField } from '../store/record.ts';
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
 * What one token may have on the roll. It is counted in the picture, which every server has, with what is being
 * registered here; so several servers together may let in too many, by as much as they register within the moment that
 * the log takes from one to the other.
 */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #picture: Picture;
  /** Owner -> fields being registered -> how often at once. */
  readonly #pending = new Map<string, Map<string, number>>();
  readonly totals = { refused: 0 };

  constructor(limits: QuotaLimits, picture: Picture) {
    this.#limits = limits;
    this.#picture = picture;
  }

  /**
   * Takes room for an instance; gives what gives it back, to be called when the picture shows the instance or will not.
   * Throws `quota_exceeded`. What the caller has already needs no room.
   */
  take(caller: Caller, ref: InstanceRef): () => void {
    const { maxInstancesPerToken, maxServicesPerToken } = this.#limits;
    const owner = ownerOf(caller);
    if (owner === undefined || maxInstancesPerToken + maxServicesPerToken === 0) return () => {};
    const field = fieldOf(ref);
    if (!this.#has(owner, field)) this.#check(owner, field);
    const pending = this.#pending.get(owner) ?? new Map<string, number>();
    this.#pending.set(owner, pending.set(field, (pending.get(field) ?? 0) + 1));
    return () => {
      const left = (pending.get(field) ?? 0) - 1;
      if (left > 0) pending.set(field, left);
      else pending.delete(field);
      if (pending.size === 0) this.#pending.delete(owner);
    };
  }

  #has(owner: string, field: string): boolean {
    const isPending = this.#pending.get(owner)?.has(field) === true;
    return isPending || this.#picture.roll?.instance(field)?.body.owner === owner;
  }

  #check(owner: string, field: string): void {
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
      ...coming.map(serviceOfField),
    ]);
    const isNew = !services.has(serviceOfField(field));
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
