import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import { ttlOfLease } from '../lease-id.ts';
import * as limits from '../limits.ts';
import type { LogPage, StoreHead } from '../log-entry.ts';
import {
  fieldOf,
  type InstanceBody,
  type InstanceRecord,
  refOfField,
  serviceOfField,
} from '../record.ts';
import type {
  BodyPatch,
  ChangeOutcome,
  Continuity,
  GrantOutcome,
  GrantRequest,
  HoldOutcome,
  PutOutcome,
  PutRequest,
  RemoveRequest,
  RenewOutcome,
  RestoreRequest,
  RevokeRequest,
  SecondLook,
  Store,
  StoreSnapshot,
  SweepOutcome,
  UpdateRequest,
  Write,
} from '../store.ts';
import { firstAfter } from '../log-search.ts';
import { Partition } from './partition.ts';
import { deleteResource, put } from './put.ts';
import { restore } from './restore.ts';
import { sweep } from './sweep.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Identity of this memory: another one each time. */
  readonly epoch: string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** How long the guard holds, in ms. */
  readonly guardMs?: number | undefined;
}

/** The roll in this process's memory: the embedded default. It is gone with the process. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #epoch: string;
  readonly #guardMs: number;
  readonly #partition: Partition;
  readonly #waiting = new Set<() => void>();

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#epoch = options.epoch;
    this.#guardMs = options.guardMs ?? limits.DEFAULT_GUARD_MS;
    this.#partition = new Partition(options.logLength, () => {
      for (const wake of this.#waiting) wake();
    });
  }

  async grant(request: GrantRequest): Promise<GrantOutcome> {
    const { field, lease, nonce, body } = request;
    const partition = this.#partition;
    const at = { nowMs: this.#clock.nowMs(), floor: request.floor };
    const record = partition.instances.get(field);
    let why: 'registered' | 'reregistered' | 'superseded' = 'registered';
    if (record === undefined) {
      const count = partition.counts.get(serviceOfField(field)) ?? 0;
      if (count >= request.maxInstances) return { kind: 'full' };
      partition.count(field, 1);
    } else {
      if (isSameHolder(record, request, partition)) return this.#regrant(record, body, at);
      const isLive = record.lease === '' || (partition.deadlines.get(record.lease) ?? 0) > at.nowMs;
      const isOther = nonce !== record.nonce;
      if (isLive && nonce !== '' && isOther && !request.takeover && record.doubt !== 'suspect') {
        return { kind: 'taken' };
      }
      const displaces = isLive && record.lease !== '' && (nonce === '' || isOther);
      why = displaces ? 'superseded' : 'reregistered';
      partition.endLease(record.lease, field, at.nowMs);
    }
    if (lease !== '') {
      const ttlMs = ttlOfLease(lease);
      partition.longestTtlMs = Math.max(partition.longestTtlMs, ttlMs);
      partition.startLease(lease, field, at.nowMs + ttlMs);
    }
    partition.graves.delete(`i:${field}`);
    const registered = { ...refOfField(field), lease, nonce, doubt: undefined, doubtUntilMs: 0 };
    const registeredAtMs = Math.floor(at.nowMs);
    const revision = partition.writeRecord({ ...registered, registeredAtMs, body }, at, why);
    return { kind: 'granted', lease, revision };
  }

  /** The same process again: the same lease, and a new revision only for new content. */
  #regrant(record: InstanceRecord, body: InstanceBody, at: { nowMs: number; floor: number }) {
    const { lease } = record;
    const partition = this.#partition;
    partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
    if (isDeepStrictEqual(record.body, body)) {
      partition.clearDoubt(lease, at);
      const { revision } = partition.instances.get(fieldOf(record)) as InstanceRecord;
      return { kind: 'granted', lease, revision } as const;
    }
    const renewed = { ...record, doubt: undefined, doubtUntilMs: 0, body };
    const revision = partition.writeRecord(renewed, at, 'reregistered');
    return { kind: 'granted', lease, revision } as const;
  }

  async renew(leases: readonly string[], { floor }: Write): Promise<RenewOutcome> {
    const at = { nowMs: this.#clock.nowMs(), floor };
    const unknown: string[] = [];
    const superseded: string[] = [];
    for (const lease of leases) {
      if (this.#partition.deadlines.has(lease)) {
        this.#partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
        this.#partition.clearDoubt(lease, at);
      } else if (this.#partition.missOf(lease).kind === 'superseded') superseded.push(lease);
      else unknown.push(lease);
    }
    return { unknown, superseded };
  }

  async hold(lease: string, { floor }: Write): Promise<HoldOutcome> {
    const partition = this.#partition;
    const at = { nowMs: this.#clock.nowMs(), floor };
    if (!partition.deadlines.has(lease)) return partition.missOf(lease);
    partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
    partition.clearDoubt(lease, at);
    // From the clock, so that a number is not used again after the store lost its memory.
    const hold = Math.max((partition.holds.get(lease) ?? 0) + 1, Math.floor(at.nowMs * 1_000));
    partition.holds.set(lease, hold);
    return { kind: 'held', hold };
  }

  async suspect(
    lease: string,
    hold: number,
    { floor, isSecondLook = false }: Write & SecondLook,
  ): Promise<boolean> {
    const partition = this.#partition;
    if (partition.holds.get(lease) !== hold) return false;
    const record = partition.instances.get(partition.holders.get(lease) ?? '');
    const deadline = partition.deadlines.get(lease);
    if (record?.lease !== lease || deadline === undefined) return false;
    const at = { nowMs: this.#clock.nowMs(), floor };
    const heartbeatMs = isSecondLook ? ttlOfLease(lease) / 3 : 0;
    const dueMs = at.nowMs + limits.SUSPECT_MS + heartbeatMs;
    partition.deadlines.set(lease, Math.min(deadline, dueMs));
    if (record.doubt !== 'suspect') {
      partition.writeRecord({ ...record, doubt: 'suspect', doubtUntilMs: 0 }, at, 'suspected');
    }
    return true;
  }

  async update({ field, lease, patch, floor }: UpdateRequest): Promise<ChangeOutcome> {
    const record = this.#partition.instances.get(field);
    if (record === undefined) {
      return lease === undefined ? { kind: 'missing' } : this.#partition.missOf(lease);
    }
    if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
    const body = patched(record.body, patch);
    if (isDeepStrictEqual(body, record.body)) return { kind: 'changed', revision: record.revision };
    const isDraining = body.status === 'draining' && record.body.status !== 'draining';
    const at = { nowMs: this.#clock.nowMs(), floor };
    const why = isDraining ? 'draining' : 'updated';
    return { kind: 'changed', revision: this.#partition.writeRecord({ ...record, body }, at, why) };
  }

  async revoke({ field, lease, floor }: RevokeRequest): Promise<ChangeOutcome> {
    const partition = this.#partition;
    const record = partition.instances.get(field);
    const at = { nowMs: this.#clock.nowMs(), floor };
    if (record === undefined) {
      // A store that lost its memory must not be given back what somebody has taken off meanwhile.
      const revision = partition.nextRevision(at.nowMs, floor);
      partition.buryInstance(field, lease ?? '', revision, at.nowMs);
      return { kind: 'missing' };
    }
    if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
    return { kind: 'changed', revision: partition.deleteRecord(record, at, 'deregistered') };
  }

  async expire({ floor }: Write): Promise<SweepOutcome> {
    return sweep(this.#partition, { nowMs: this.#clock.nowMs(), floor }, this.#guardMs);
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    return put(this.#partition, request, this.#clock.nowMs());
  }

  async remove({ key, floor }: RemoveRequest): Promise<ChangeOutcome> {
    const nowMs = this.#clock.nowMs();
    const resource = this.#partition.resources.get(key);
    const revision =
      resource === undefined
        ? this.#partition.nextRevision(nowMs, floor)
        : deleteResource(this.#partition, resource, { nowMs, floor });
    this.#partition.bury(`r:${key}`, revision, nowMs + limits.RESOURCE_TOMBSTONE_MS);
    return resource === undefined ? { kind: 'missing' } : { kind: 'changed', revision };
  }

  async restore(request: RestoreRequest): Promise<{ taken: number }> {
    return { taken: restore(this.#partition, request, this.#clock.nowMs()) };
  }

  async follow(after: number, signal: AbortSignal): Promise<LogPage> {
    if (this.#partition.last === after) await this.#appended(signal);
    signal.throwIfAborted();
    const { log } = this.#partition;
    const entries = log.slice(firstAfter(log, after));
    return entries.length > 0 ? { entries } : { entries, head: this.#head() };
  }

  async continuity(position: StoreHead): Promise<Continuity> {
    const { epoch, revision, mark } = this.#head();
    if (epoch !== position.epoch || revision < position.revision) return 'lost';
    if (revision === position.revision) return mark === position.mark ? 'kept' : 'lost';
    const { log } = this.#partition;
    const first = log[0];
    if (first !== undefined && first.prev > position.revision) return 'trimmed';
    const next = log[firstAfter(log, position.revision)];
    const isSame = next?.prev === position.revision && next.before === position.mark;
    return isSame ? 'kept' : 'lost';
  }

  async snapshot(): Promise<StoreSnapshot> {
    const { instances, resources, graves, last } = this.#partition;
    const nowMs = this.#clock.nowMs();
    const tombstones = [...graves]
      .filter(([member]) => !member.startsWith('l:'))
      .map(([member, { value, untilMs }]) => {
        return { member, revision: Number(value), forMs: Math.max(0, untilMs - nowMs) };
      });
    return {
      head: this.#head(),
      upTo: last,
      instances: [...instances.values()],
      resources: [...resources.values()],
      tombstones,
    };
  }

  async close(): Promise<void> {
    for (const wake of this.#waiting) wake();
  }

  #head(): StoreHead {
    const { last, mark } = this.#partition;
    return { epoch: this.#epoch, revision: last, mark };
  }

  /** Resolves at the next entry, or when the time to wait is over, or when the signal says so. */
  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        timer.cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = this.#clock.after(limits.FOLLOW_WAIT_MS, wake);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function isSameHolder(record: InstanceRecord, request: GrantRequest, partition: Partition) {
  return (
    request.nonce !== '' &&
    request.lease !== '' &&
    record.nonce === request.nonce &&
    partition.deadlines.has(record.lease) &&
    ttlOfLease(record.lease) === ttlOfLease(request.lease)
  );
}

function patched(body: InstanceBody, { status, weight, labels, covers }: BodyPatch): InstanceBody {
  const merged: Record<string, string> = { ...body.labels };
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  const { covers: known, ...rest } = body;
  const wears = covers === undefined ? known : (covers ?? undefined);
  return {
    ...rest,
    status: status ?? body.status,
    weight: weight ?? body.weight,
    labels: merged,
    ...(wears === undefined ? {} : { covers: wears }),
  };
}
