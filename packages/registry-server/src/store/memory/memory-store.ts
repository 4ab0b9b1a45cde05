import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@rollcall/runtime';
import { ttlOfLease } from '../lease-id.ts';
import * as limits from '../limits.ts';
import type { LogPage, StoreHead } from '../log-entry.ts';
import type { InstanceBody } from '../record.ts';
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
  RestoreOutcome,
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
import { grant } from './grant.ts';
import { Partition } from './partition.ts';
import { deleteResource, put } from './put.ts';
import { restore } from './restore.ts';
import { sweep } from './sweep.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Identity of this memory: must differ each time. */
  readonly epoch: string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** How long the guard holds, in ms. */
  readonly guardMs?: number | undefined;
  /**
   * Id of the process that keeps it now: another process may have come back with older data. @default always the same
   */
  readonly runId?: () => string;
}

/** The roll in this process's memory: the default of an embedded server. It is lost with the process. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #epoch: string;
  readonly #guardMs: number;
  readonly #runId: () => string;
  readonly #partition: Partition;
  readonly #waiting = new Set<() => void>();

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#epoch = options.epoch;
    this.#guardMs = options.guardMs ?? limits.DEFAULT_GUARD_MS;
    this.#runId = options.runId ?? (() => '');
    this.#partition = new Partition(options.logLength, () => {
      for (const wake of this.#waiting) wake();
    });
  }

  async grant(request: GrantRequest): Promise<GrantOutcome> {
    return grant(this.#partition, request, this.#clock.wallMs());
  }

  async renew(leases: readonly string[], { floor }: Write): Promise<RenewOutcome> {
    const at = { nowMs: this.#clock.wallMs(), floor };
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
    const at = { nowMs: this.#clock.wallMs(), floor };
    if (!partition.deadlines.has(lease)) return partition.missOf(lease);
    partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
    partition.clearDoubt(lease, at);
    // From the clock, so that no number is used again after the store lost its data.
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
    const at = { nowMs: this.#clock.wallMs(), floor };
    const heartbeatMs = isSecondLook ? ttlOfLease(lease) / 3 : 0;
    const dueMs = at.nowMs + limits.SUSPECT_MS + heartbeatMs;
    partition.deadlines.set(lease, Math.min(deadline, dueMs));
    if (record.doubt !== 'suspect') {
      partition.writeRecord({ ...record, doubt: 'suspect', doubtUntilMs: 0 }, at, 'suspected');
    }
    return true;
  }

  async update(request: UpdateRequest): Promise<ChangeOutcome> {
    const { instanceKey, lease, patch, floor, sequence = 0 } = request;
    const record = this.#partition.instances.get(instanceKey);
    if (record === undefined) {
      return lease === undefined ? { kind: 'missing' } : this.#partition.missOf(lease);
    }
    if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
    const own = lease === undefined ? 0 : sequence;
    const { revision } = record;
    if (own > 0 && own <= record.sequence) return { kind: 'changed', revision };
    const body = patched(record.body, patch);
    const numbered = { ...record, sequence: Math.max(record.sequence, own) };
    if (isDeepStrictEqual(body, record.body)) {
      this.#partition.instances.set(instanceKey, Object.freeze(numbered));
      return { kind: 'changed', revision };
    }
    const isDraining = body.status === 'draining' && record.body.status !== 'draining';
    const at = { nowMs: this.#clock.wallMs(), floor };
    const why = isDraining ? 'draining' : 'updated';
    return {
      kind: 'changed',
      revision: this.#partition.writeRecord({ ...numbered, body }, at, why),
    };
  }

  async revoke(request: RevokeRequest): Promise<ChangeOutcome> {
    const { instanceKey, lease, nonce = '', sequence = 0, floor } = request;
    const partition = this.#partition;
    const record = partition.instances.get(instanceKey);
    const at = { nowMs: this.#clock.wallMs(), floor };
    // Earlier writes that the process got no answer to may still arrive.
    partition.addProcessTombstone(instanceKey, { nonce, sequence }, at.nowMs);
    if (record === undefined) {
      // A restore after lost data must not bring back an instance that was deregistered in between.
      const revision = partition.nextRevision(at.nowMs, floor);
      partition.addInstanceTombstones(instanceKey, lease ?? '', revision, at.nowMs);
      return { kind: 'missing' };
    }
    if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
    if (nonce !== '' && nonce !== record.nonce) return { kind: 'superseded' };
    return { kind: 'changed', revision: partition.deleteRecord(record, at, 'deregistered') };
  }

  async expire({ floor }: Write): Promise<SweepOutcome> {
    const at = { nowMs: this.#clock.wallMs(), floor };
    return sweep(this.#partition, at, { guardMs: this.#guardMs, runId: this.#runId() });
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    return put(this.#partition, request, this.#clock.wallMs());
  }

  async remove({ key, floor }: RemoveRequest): Promise<ChangeOutcome> {
    const nowMs = this.#clock.wallMs();
    const resource = this.#partition.resources.get(key);
    const revision =
      resource === undefined
        ? this.#partition.nextRevision(nowMs, floor)
        : deleteResource(this.#partition, resource, { nowMs, floor });
    this.#partition.addTombstone(`r:${key}`, revision, nowMs + limits.RESOURCE_TOMBSTONE_MS);
    return resource === undefined ? { kind: 'missing' } : { kind: 'changed', revision };
  }

  async restore(request: RestoreRequest): Promise<RestoreOutcome> {
    const taken = restore(this.#partition, request, this.#clock.wallMs());
    return { taken, head: this.#head() };
  }

  async follow(after: number, signal: AbortSignal): Promise<LogPage> {
    if (this.#partition.last === after) await this.#appended(signal);
    signal.throwIfAborted();
    const { log } = this.#partition;
    const entries = log.slice(firstAfter(log, after));
    return entries.length > 0 ? { entries } : { entries, head: this.#head() };
  }

  async continuity(position: StoreHead): Promise<Continuity> {
    const { epoch, revision, digest } = this.#head();
    if (epoch !== position.epoch || revision < position.revision) return 'lost';
    if (revision === position.revision) return digest === position.digest ? 'kept' : 'lost';
    const { log } = this.#partition;
    const first = log[0];
    if (first !== undefined && first.prev > position.revision) return 'trimmed';
    const next = log[firstAfter(log, position.revision)];
    const isSame = next?.prev === position.revision && next.before === position.digest;
    return isSame ? 'kept' : 'lost';
  }

  async snapshot(): Promise<StoreSnapshot> {
    const { instances, resources, last } = this.#partition;
    const nowMs = this.#clock.wallMs();
    const tombstones = [...this.#partition.tombstones]
      // Only the store itself uses the other kinds.
      .filter(([member]) => /^[ixr]:/.test(member))
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
    const { last, digest } = this.#partition;
    return { epoch: this.#epoch, revision: last, digest };
  }

  /** Resolves at the next entry, when the wait is over, or when the signal aborts. */
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

function patched(
  body: InstanceBody,
  { status, weight, labels, labelScopes }: BodyPatch,
): InstanceBody {
  const merged: Record<string, string> = { ...body.labels };
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  const { labelScopes: known, ...rest } = body;
  const effectiveScopes = labelScopes === undefined ? known : (labelScopes ?? undefined);
  return {
    ...rest,
    status: status ?? body.status,
    weight: weight ?? body.weight,
    labels: merged,
    ...(effectiveScopes === undefined ? {} : { labelScopes: effectiveScopes }),
  };
}
