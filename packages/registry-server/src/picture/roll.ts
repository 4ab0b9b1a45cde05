import {
  isInstanceKey,
  type Override,
  type ServiceKey,
  instanceKeyOf,
  type InstanceRef,
  parseInstanceKey,
  serviceKeyOfInstance,
  type InstanceKey,
} from '@rollcall/contract';
import { INSTANCE_TOMBSTONE_MS } from '../store/limits.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { type InstanceRecord, type ResourceRecord, SEEN } from '../store/record.ts';
import type { RestoreRequest, StoreSnapshot, Tombstone } from '../store/store.ts';
import { Declarations, type ServiceTouch } from './declared/declarations.ts';
import { instanceOfOverride, overrideKeyOf, type StoredOverride } from './instances/endpoints.ts';
import { Tenants } from './instances/tenants.ts';

/**
 * How long, and how many, deletions a server remembers. Longer than the store: if the store loses its data, a server
 * that was cut off for a while must not bring back what other servers saw removed.
 */
const REMEMBERED_MS = 86_400_000;
const REMEMBERED = 200_000;

interface Departure {
  readonly revision: number;
  /** On this server's monotonic clock. */
  readonly untilMs: number;
}

/** What an entry touched: an instance, with its old and new record, or whole services. */
export type Effect =
  | {
      readonly kind: 'instance';
      readonly ref: InstanceRef;
      readonly before: InstanceRecord | undefined;
      readonly after: InstanceRecord | undefined;
    }
  | { readonly kind: 'services'; readonly touches: readonly ServiceTouch[] };

const NOTHING: Effect = { kind: 'services', touches: [] };

/** The tables that a server holds in memory: the content of the store at a revision. */
export class Roll {
  readonly services = new Map<ServiceKey, Map<string, InstanceRecord>>();
  /** The few instances without a lease, by key. Separate, because they are read several times a second. */
  readonly persistent = new Map<InstanceKey, InstanceRecord>();
  readonly declarations = new Declarations();
  readonly tenants = new Tenants();
  readonly #overrides = new Map<string, Override>();
  readonly #resources = new Map<string, ResourceRecord>();
  readonly #tombstones = new Map<string, Departure>();
  revision: number;
  /** Digest of everything up to the revision. It tells a lost past from the current one. */
  digest: string;
  readonly epoch: string;

  constructor(snapshot: StoreSnapshot, monotonicMs: number) {
    this.epoch = snapshot.head.epoch;
    this.revision = snapshot.head.revision;
    this.digest = snapshot.head.digest;
    for (const record of snapshot.instances) this.#set(record);
    for (const resource of snapshot.resources) this.#put(resource);
    for (const { member, revision, forMs } of snapshot.tombstones) {
      this.#tombstones.set(member, { revision, untilMs: monotonicMs + forMs });
    }
  }

  /** Applies one entry; returns what it touched. */
  apply(entry: LogEntry, monotonicMs: number): Effect {
    this.revision = entry.revision;
    this.digest = entry.digest;
    switch (entry.op) {
      case 'set':
        return this.#set(entry.record);
      case 'del': {
        if (entry.why !== 'expired') {
          const { lease = '' } = this.instance(entry.instanceKey) ?? {};
          this.#addTombstone(`i:${entry.instanceKey}`, entry.revision, monotonicMs);
          if (lease !== '') this.#addTombstone(`x:${lease}`, entry.revision, monotonicMs);
        }
        return this.#delete(entry.instanceKey, entry.revision);
      }
      case 'put':
        return this.#put(entry.resource);
      case 'bump':
        return NOTHING;
      case 'spoilt':
        return this.#leaveOut(entry.key, entry.revision);
      default: {
        // What is over in a moment may come back for a moment.
        if (!entry.key.startsWith(SEEN))
          this.#addTombstone(`r:${entry.key}`, entry.revision, monotonicMs);
        return this.#remove(entry.key, entry.revision);
      }
    }
  }

  /** An instance by its key. */
  instance(instanceKey: InstanceKey): InstanceRecord | undefined {
    const service = serviceKeyOfInstance(instanceKey);
    return this.services.get(service)?.get(instanceKey.slice(service.length + 1));
  }

  override(instanceKey: InstanceKey): Override | undefined {
    return this.#overrides.get(overrideKeyOf(instanceKey));
  }

  /** The instances that say that they drain. Looks at all of them. */
  *draining(): Generator<InstanceRecord> {
    for (const instances of this.services.values())
      for (const record of instances.values()) if (record.body.status === 'draining') yield record;
  }

  /** The resources whose keys begin so. Looks at all of them. */
  *resourcesBelow(prefix: string): Generator<ResourceRecord> {
    for (const [key, resource] of this.#resources) if (key.startsWith(prefix)) yield resource;
  }

  /** Everything, as an offer to a store that lost its data. */
  offer(monotonicMs: number): Omit<RestoreRequest, 'floor'> {
    const tombstones: Tombstone[] = [];
    for (const [member, { revision, untilMs }] of this.#tombstones) {
      if (untilMs <= monotonicMs) this.#tombstones.delete(member);
      else {
        const forMs = Math.max(INSTANCE_TOMBSTONE_MS, untilMs - monotonicMs);
        tombstones.push({ member, revision, forMs });
      }
    }
    const instances = [...this.services.values()].flatMap((roll) => [...roll.values()]);
    return { instances, resources: [...this.#resources.values()], tombstones };
  }

  /** Drops the oldest first. */
  #addTombstone(member: string, revision: number, monotonicMs: number): void {
    this.#tombstones.delete(member);
    this.#tombstones.set(member, { revision, untilMs: monotonicMs + REMEMBERED_MS });
    for (const [oldest, { untilMs }] of this.#tombstones) {
      if (this.#tombstones.size <= REMEMBERED && untilMs > monotonicMs) break;
      this.#tombstones.delete(oldest);
    }
  }

  /** Takes over what the previous roll remembered, unless this one has something newer. */
  remember(before: Roll): void {
    for (const [member, tombstone] of before.#tombstones) {
      const own = this.#tombstones.get(member);
      if (own !== undefined && own.revision >= tombstone.revision) continue;
      const instanceKey = member.slice(2);
      const record = isInstanceKey(instanceKey) ? this.instance(instanceKey) : undefined;
      if (record === undefined || record.revision < tombstone.revision)
        this.#tombstones.set(member, tombstone);
    }
  }

  /** The old value no longer exists, but was not deregistered: no tombstone. */
  #leaveOut(key: string, revision: number): Effect {
    const instanceKey = /^instance\/(.+)$/s.exec(key)?.[1];
    if (instanceKey === undefined) return this.#remove(key, revision);
    return isInstanceKey(instanceKey) ? this.#delete(instanceKey, revision) : NOTHING;
  }

  #set(record: InstanceRecord): Effect {
    const instanceKey = instanceKeyOf(record);
    const service = serviceKeyOfInstance(instanceKey);
    let roll = this.services.get(service);
    const before = roll?.get(record.id);
    // The snapshot may have been read after this entry was written.
    if (before !== undefined && before.revision > record.revision) return NOTHING;
    if (roll === undefined) {
      roll = new Map();
      this.services.set(service, roll);
    }
    roll.set(record.id, record);
    this.tenants.replace(before, record);
    if (record.lease === '') this.persistent.set(instanceKey, record);
    else this.persistent.delete(instanceKey);
    this.#tombstones.delete(`i:${instanceKey}`);
    return { kind: 'instance', ref: record, before, after: record };
  }

  #delete(instanceKey: InstanceKey, revision: number): Effect {
    const service = serviceKeyOfInstance(instanceKey);
    const roll = this.services.get(service);
    const id = instanceKey.slice(service.length + 1);
    const before = roll?.get(id);
    if (before === undefined || before.revision > revision) return NOTHING;
    roll?.delete(id);
    this.tenants.replace(before, undefined);
    this.persistent.delete(instanceKey);
    if (roll?.size === 0) this.services.delete(service);
    return { kind: 'instance', ref: before, before, after: undefined };
  }

  #put(resource: ResourceRecord): Effect {
    const known = this.#resources.get(resource.key);
    if (known !== undefined && known.revision > resource.revision) return NOTHING;
    this.#resources.set(resource.key, resource);
    this.#tombstones.delete(`r:${resource.key}`);
    if (!resource.key.startsWith('override/')) {
      return { kind: 'services', touches: this.declarations.put(resource) };
    }
    const stored = JSON.parse(resource.value) as StoredOverride;
    const untilMs = resource.untilMs === 0 ? null : resource.untilMs;
    this.#overrides.set(resource.key, Object.freeze({ ...stored, untilMs }));
    return this.#overridden(resource.key);
  }

  #remove(key: string, revision: number): Effect {
    const known = this.#resources.get(key);
    if (known === undefined || known.revision > revision) return NOTHING;
    this.#resources.delete(key);
    this.#overrides.delete(key);
    if (key.startsWith('override/')) return this.#overridden(key);
    return { kind: 'services', touches: this.declarations.remove(key, revision) };
  }

  #overridden(key: string): Effect {
    const instanceKey = instanceOfOverride(key);
    const record = this.instance(instanceKey);
    return { kind: 'instance', ref: parseInstanceKey(instanceKey), before: record, after: record };
  }
}
