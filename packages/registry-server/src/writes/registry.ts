import {
  type InstancePatch,
  type Override,
  type OverrideRequest,
  ProblemError,
  type ProblemCode,
  type Registered,
  type Registration,
  type RenewReply,
  instanceKeyOf,
  type InstanceRef,
} from '@rollcall/contract';
import type { Random } from '@rollcall/runtime';
import { makeLeaseId } from '../store/lease-id.ts';
import { putOne } from '../store/put-one.ts';
import { type InstanceBody } from '../store/record.ts';
import type { ChangeOutcome, HoldOutcome, Store } from '../store/store.ts';
import type { Admission } from '../access/admission.ts';
import { type Caller, coveredBy } from '../access/caller.ts';
import { committed, type Committed } from './committed.ts';
import { overrideKeyOf, type StoredOverride } from '../picture/instances/endpoints.ts';
import type { Picture } from '../picture/picture.ts';
import type { Quota } from '../access/quota.ts';
import { ownerOf } from '../access/caller.ts';

export interface RegistryOptions {
  readonly store: Store;
  readonly picture: Picture;
  readonly admission: Admission;
  readonly random: Random;
  readonly quota: Quota;
  readonly maxInstancesPerService: number;
  /** Partition of the store; part of every lease id. */
  readonly partition: number;
}

/** Identifies the process that deregisters. */
interface Leaver {
  readonly lease?: string | undefined;
  readonly nonce?: string | undefined;
  readonly sequence?: number | undefined;
}

const MISSES = {
  missing: ['instance_not_found', 'there is no such instance on the roll'],
  unknown: ['lease_unknown', 'the registry does not know this lease: register again'],
  superseded: ['lease_superseded', 'a successor holds this instance id: do not register again'],
} as const satisfies Record<string, readonly [ProblemCode, string]>;

/** The error for a missing lease or instance; `field` is the request field. */
export function missError(kind: keyof typeof MISSES, field: string): ProblemError {
  const [code, message] = MISSES[kind];
  return new ProblemError(code, message, { field });
}

/** The rules of the roll: which caller may write what, and what a write answers. */
export class Registry {
  readonly #store: Store;
  readonly #picture: Picture;
  readonly #admission: Admission;
  readonly #random: Random;
  readonly #quota: Quota;
  readonly #maxInstances: number;
  readonly #partition: number;

  constructor(options: RegistryOptions) {
    this.#store = options.store;
    this.#picture = options.picture;
    this.#admission = options.admission;
    this.#random = options.random;
    this.#quota = options.quota;
    this.#maxInstances = options.maxInstancesPerService;
    this.#partition = options.partition;
  }

  /**
   * Throws a {@link ProblemError} when it is not allowed, the id is taken, the service is full or a quota is used up.
   */
  async register(
    caller: Caller,
    ref: InstanceRef,
    registration: Registration,
    takeover: boolean,
  ): Promise<Committed<Registered>> {
    this.#admission.checkRegistration(caller, ref, registration);
    this.#checkSelected(caller, ref, { app: ref.service, ...registration.labels });
    const giveBack = this.#quota.reserve(caller, ref);
    try {
      return await this.#grant(caller, ref, registration, takeover);
    } finally {
      giveBack();
    }
  }

  async #grant(
    caller: Caller,
    ref: InstanceRef,
    registration: Registration,
    takeover: boolean,
  ): Promise<Committed<Registered>> {
    const { persistent, ttlMs, nonce, sequence = 0 } = registration;
    const outcome = await this.#store.grant({
      instanceKey: instanceKeyOf(ref),
      lease: persistent ? '' : makeLeaseId(this.#partition, ttlMs, this.#random.hex(16)),
      nonce: nonce ?? '',
      takeover,
      sequence,
      body: this.#bodyOf(caller, ref, registration),
      maxInstances: this.#maxInstances,
      floor: this.#floor,
    });
    if (outcome.kind === 'taken') {
      const message = `instance ${ref.id} of ${ref.service} is held by a live process with another nonce; expected a free id, or takeover=true`;
      throw new ProblemError('instance_taken', message, { field: 'id' });
    }
    if (outcome.kind === 'late') {
      const message = `the process has left ${ref.id} of ${ref.service} since it sent this; expected a higher sequence`;
      throw new ProblemError('registration_late', message, { field: 'sequence' });
    }
    if (outcome.kind === 'full') {
      const message = `service ${ref.service} has ${this.#maxInstances} instances, the most that the server allows`;
      throw new ProblemError('service_full', message, { field: 'svc' });
    }
    const lease = persistent
      ? null
      : { id: outcome.lease, ttlMs, heartbeatIntervalMs: Math.floor(ttlMs / 3) };
    return committed(
      this.#picture,
      { lease, revision: String(outcome.revision) },
      outcome.revision,
    );
  }

  async patch(
    caller: Caller,
    ref: InstanceRef,
    patch: InstancePatch,
    lease?: string,
  ): Promise<Committed<{ revision: string }>> {
    this.#admission.checkService(caller, ref);
    const known = this.#picture.instancesOf(ref.namespace, ref.service).get(ref.id);
    this.#admission.checkLabels(caller, ref, patch.labels ?? {}, known?.body.labels);
    if (patch.labels !== undefined) {
      const merged = { ...known?.body.labels, ...patch.labels };
      const kept = Object.entries(merged).filter(([, value]) => value !== null);
      this.#checkSelected(caller, ref, Object.fromEntries(kept) as Record<string, string>);
    }
    const labelScopes =
      patch.labels === undefined ? {} : { labelScopes: coveredBy(caller.grants) ?? null };
    const { sequence = 0, ...changed } = patch;
    const change = {
      instanceKey: instanceKeyOf(ref),
      lease,
      patch: { ...changed, ...labelScopes },
      sequence,
      floor: this.#floor,
    };
    return this.#changed(await this.#store.update(change), lease);
  }

  /** By lease; or by nonce, for a process that does not know its lease; or, with neither, any holder. */
  async deregister(caller: Caller, ref: InstanceRef, by: Leaver = {}) {
    this.#admission.checkService(caller, ref);
    const { lease, nonce, sequence = 0 } = by;
    const outcome = await this.#store.revoke({
      instanceKey: instanceKeyOf(ref),
      lease,
      ...(nonce === undefined ? {} : { nonce }),
      sequence,
      floor: this.#floor,
    });
    return this.#changed(outcome, lease);
  }

  renew(leases: readonly string[]): Promise<RenewReply> {
    return this.#store.renew(leases, { floor: this.#floor }) as Promise<RenewReply>;
  }

  hold(lease: string): Promise<HoldOutcome> {
    return this.#store.hold(lease, { floor: this.#floor });
  }

  suspect(lease: string, hold: number, isSecondLook = false): Promise<boolean> {
    return this.#store.suspect(lease, hold, { floor: this.#floor, isSecondLook });
  }

  /** The instance must be on the roll now; the override outlives it. */
  async override(ref: InstanceRef, request: OverrideRequest): Promise<Committed<Override>> {
    if (!this.#picture.instancesOf(ref.namespace, ref.service).has(ref.id)) {
      throw missError('missing', 'id');
    }
    const { status, author, reason, forMs } = request;
    const stored: StoredOverride = { status, author, reason };
    const item = {
      key: overrideKeyOf(instanceKeyOf(ref)),
      value: JSON.stringify(stored),
      forMs: forMs ?? 0,
      why: 'overridden',
    } as const;
    const { revision, untilMs } = await putOne(this.#store, item, this.#floor);
    return committed(
      this.#picture,
      { ...stored, untilMs: untilMs === 0 ? null : untilMs },
      revision,
    );
  }

  async liftOverride(ref: InstanceRef): Promise<Committed<{ revision: string }>> {
    const key = overrideKeyOf(instanceKeyOf(ref));
    const outcome = await this.#store.remove({ key, floor: this.#floor });
    if (outcome.kind !== 'changed') {
      throw new ProblemError('override_not_found', `instance ${ref.id} has no override`);
    }
    return this.#changed(outcome, undefined);
  }

  /** Every caller may set `app: <own service>`: a service that selects by it means exactly these instances. */
  #checkSelected(caller: Caller, ref: InstanceRef, labels: Readonly<Record<string, string>>): void {
    const { declarations } = this.#picture.roll ?? {};
    if (declarations === undefined || caller.grants.isAdmin) return;
    const names: string[] = [];
    for (const key of declarations.selecting(ref.namespace, labels)) {
      const { app } = declarations.service(key)?.spec?.selector ?? {};
      if (app !== ref.service) names.push(key.slice(key.indexOf('/') + 1));
    }
    this.#admission.checkSelected(caller, ref, names);
  }

  get #floor(): number {
    return this.#picture.revision;
  }

  #bodyOf(caller: Caller, ref: InstanceRef, registration: Registration): InstanceBody {
    const { address, ports, labels, zone, weight, ttlMs, status, persistent, check } = registration;
    const known = this.#picture.instancesOf(ref.namespace, ref.service).get(ref.id);
    const labelScopes = coveredBy(caller.grants);
    const owner = ownerOf(caller);
    // The status of a persistent instance comes from its checks, and survives a new registration.
    const checked = known?.lease === '' ? known.body.status : 'starting';
    return {
      address: address ?? caller.peerAddress,
      ports,
      labels: { app: ref.service, ...labels },
      zone,
      weight,
      ttlMs,
      status: persistent ? checked : status,
      ...(check === undefined ? {} : { check }),
      ...(labelScopes === undefined ? {} : { labelScopes }),
      ...(owner === undefined ? {} : { owner }),
    };
  }

  #changed(outcome: ChangeOutcome, lease: string | undefined) {
    if (outcome.kind !== 'changed') {
      throw missError(outcome.kind, lease === undefined ? 'id' : 'lease');
    }
    return committed(this.#picture, { revision: String(outcome.revision) }, outcome.revision);
  }
}
