import type { Override } from '@rollcall/contract';
import { INSTANCE_TOMBSTONE_MS } from '../store/limits.ts';
import type { LogEntry } from '../store/log-entry.ts';
import {
  fieldOf,
  type InstanceRecord,
  type InstanceRef,
  refOfField,
  type ResourceRecord,
  serviceOfField,
} from '../store/record.ts';
import type { RestoreRequest, StoreSnapshot, Tombstone } from '../store/store.ts';
import { overrideKeyOf, type StoredOverride } from './endpoints.ts';

/**
 * How long and how much a server remembers of what was deleted, longer than the store does: a server that was cut off
 * for a while must not bring back, to a store that lost its memory, what the others saw go.
 */
const REMEMBERED_MS = 86_400_000;
const REMEMBERED = 50_000;

interface Grave {
  readonly revision: number;
  /** On this server's monotonic clock. */
  readonly untilMs: number;
}

/** The tables that a server holds in memory: what the store had at a revision. */
export class Roll {
  readonly services = new Map<string, Map<string, InstanceRecord>>();
  /** The few that hold no lease, by field: they are looked at several times a second. */
  readonly persistent = new Map<string, InstanceRecord>();
  readonly #overrides = new Map<string, Override>();
  readonly #resources = new Map<string, ResourceRecord>();
  readonly #graves = new Map<string, Grave>();
  revision: number;
  readonly epoch: string;

  constructor(snapshot: StoreSnapshot, monotonicMs: number) {
    this.epoch = snapshot.head.epoch;
    this.revision = snapshot.head.revision;
    for (const record of snapshot.instances) this.#set(record);
    for (const resource of snapshot.resources) this.#put(resource);
    for (const { member, revision, forMs } of snapshot.tombstones) {
      this.#graves.set(member, { revision, untilMs: monotonicMs + forMs });
    }
  }

  /** Takes one entry; gives the instance that it touched, if any. */
  apply(entry: LogEntry, monotonicMs: number): InstanceRef | undefined {
    this.revision = entry.revision;
    switch (entry.op) {
      case 'set':
        return this.#set(entry.record);
      case 'del': {
        this.#bury(`i:${entry.field}`, entry.revision, monotonicMs);
        return this.#delete(entry.field, entry.revision);
      }
      case 'put':
        return this.#put(entry.resource);
      default: {
        this.#bury(`r:${entry.key}`, entry.revision, monotonicMs);
        return this.#remove(entry.key, entry.revision);
      }
    }
  }

  override(field: string): Override | undefined {
    return this.#overrides.get(overrideKeyOf(field));
  }

  /** Everything, for a store that lost its own. */
  offer(monotonicMs: number): Omit<RestoreRequest, 'floor'> {
    const tombstones: Tombstone[] = [];
    for (const [member, { revision, untilMs }] of this.#graves) {
      if (untilMs <= monotonicMs) this.#graves.delete(member);
      else {
        const forMs = Math.max(INSTANCE_TOMBSTONE_MS, untilMs - monotonicMs);
        tombstones.push({ member, revision, forMs });
      }
    }
    const instances = [...this.services.values()].flatMap((roll) => [...roll.values()]);
    return { instances, resources: [...this.#resources.values()], tombstones };
  }

  /** The oldest is forgotten first. */
  #bury(member: string, revision: number, monotonicMs: number): void {
    this.#graves.delete(member);
    this.#graves.set(member, { revision, untilMs: monotonicMs + REMEMBERED_MS });
    for (const [oldest, { untilMs }] of this.#graves) {
      if (this.#graves.size <= REMEMBERED && untilMs > monotonicMs) break;
      this.#graves.delete(oldest);
    }
  }

  /** What the roll before this one remembered, where this one has nothing newer. */
  remember(before: Roll): void {
    for (const [member, grave] of before.#graves) {
      const own = this.#graves.get(member);
      if (own !== undefined && own.revision >= grave.revision) continue;
      const field = member.slice(2);
      const id = field.slice(field.lastIndexOf('/') + 1);
      const record = this.services.get(serviceOfField(field))?.get(id);
      if (record === undefined || record.revision < grave.revision) this.#graves.set(member, grave);
    }
  }

  #set(record: InstanceRecord): InstanceRef | undefined {
    const field = fieldOf(record);
    const service = serviceOfField(field);
    let roll = this.services.get(service);
    const known = roll?.get(record.id);
    // The snapshot may have been read after this entry was written.
    if (known !== undefined && known.revision > record.revision) return undefined;
    if (roll === undefined) {
      roll = new Map();
      this.services.set(service, roll);
    }
    roll.set(record.id, record);
    if (record.lease === '') this.persistent.set(field, record);
    else this.persistent.delete(field);
    this.#graves.delete(`i:${field}`);
    return record;
  }

  #delete(field: string, revision: number): InstanceRef | undefined {
    const service = serviceOfField(field);
    const roll = this.services.get(service);
    const id = field.slice(service.length + 1);
    const known = roll?.get(id);
    if (known === undefined || known.revision > revision) return undefined;
    roll?.delete(id);
    this.persistent.delete(field);
    if (roll?.size === 0) this.services.delete(service);
    return known;
  }

  #put(resource: ResourceRecord): InstanceRef | undefined {
    const known = this.#resources.get(resource.key);
    if (known !== undefined && known.revision > resource.revision) return undefined;
    this.#resources.set(resource.key, resource);
    this.#graves.delete(`r:${resource.key}`);
    if (!resource.key.startsWith('override/')) return undefined;
    const stored = JSON.parse(resource.value) as StoredOverride;
    const untilMs = resource.untilMs === 0 ? null : resource.untilMs;
    this.#overrides.set(resource.key, Object.freeze({ ...stored, untilMs }));
    return instanceOfOverride(resource.key);
  }

  #remove(key: string, revision: number): InstanceRef | undefined {
    const known = this.#resources.get(key);
    if (known === undefined || known.revision > revision) return undefined;
    this.#resources.delete(key);
    this.#overrides.delete(key);
    return key.startsWith('override/') ? instanceOfOverride(key) : undefined;
  }
}

function instanceOfOverride(key: string): InstanceRef {
  return refOfField(key.slice('override/'.length));
}
