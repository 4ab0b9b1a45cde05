import { createHash } from 'node:crypto';
import {
  type TimelineKind,
  instanceKeyOf,
  serviceKeyOfInstance,
  type InstanceKey,
} from '@rollcall/contract';
import { FORMER_MS, INSTANCE_TOMBSTONE_MS, SENT_MS } from '../limits.ts';
import type { LogEntry } from '../log-entry.ts';
import { type InstanceRecord, type PoolName, type ResourceRecord } from '../record.ts';
import type { Pool } from '../store.ts';

/** What a write commits, without the fields that the partition adds. */
type Committed =
  | { readonly op: 'set'; readonly record: InstanceRecord }
  | { readonly op: 'del'; readonly instanceKey: InstanceKey }
  | { readonly op: 'put'; readonly resource: ResourceRecord }
  | { readonly op: 'rm'; readonly key: string }
  | { readonly op: 'bump' };

/** The window in which the silent losses of a service are counted. */
export interface GuardWindow {
  beganMs: number;
  size: number;
  lost: number;
  untilMs: number;
}

interface Tombstone {
  /** Revision of the deletion, or the instance that a lease was for. */
  readonly value: number | string;
  readonly untilMs: number;
}

/** The tables of one partition and the steps common to all writes. The memory driver uses it as its Redis. */
export class Partition {
  readonly instances = new Map<string, InstanceRecord>();
  readonly holders = new Map<string, string>();
  readonly deadlines = new Map<string, number>();
  readonly resources = new Map<string, ResourceRecord>();
  readonly tombstones = new Map<string, Tombstone>();
  readonly holds = new Map<string, number>();
  readonly counts = new Map<string, number>();
  readonly guards = new Map<string, GuardWindow>();
  /** Number -> key of the resource that owns it. */
  readonly pools: Readonly<Record<PoolName, Map<number, string>>> = {
    clusterIps: new Map(),
    nodePorts: new Map(),
  };
  /** The range that each pool last gave numbers from. */
  readonly ranges: Partial<Record<PoolName, Pool>> = {};
  /** Pools that gave numbers from more than one range. */
  readonly mixed = new Set<PoolName>();
  /** Where the next search for a free number starts. */
  readonly cursors: Partial<Record<PoolName, number>> = {};
  readonly log: LogEntry[] = [];
  last = 0;
  /** Digest of everything up to the last revision. */
  digest = '';
  longestTtlMs = 0;
  lastSweepMs: number | undefined;
  grace = { startMs: 0, untilMs: 0, lastGapMs: 0 };
  /** The process that swept last. */
  runId: string | undefined;
  /** When the store was last found to have been away for too long, or to run as another process. */
  doubtedAtMs: number | undefined;

  readonly #logLength: number;
  readonly #onAppend: () => void;

  constructor(logLength: number, onAppend: () => void) {
    this.#logLength = logLength;
    this.#onAppend = onAppend;
  }

  nextRevision(nowMs: number, floor: number): number {
    return Math.max(this.last + 1, Math.floor(nowMs * 1_000), floor + 1);
  }

  append(revision: number, atMs: number, why: TimelineKind, committed: Committed): void {
    const before = this.digest;
    this.digest = digestAfter(before, revision, committed);
    const entry: LogEntry = {
      revision,
      prev: this.last,
      before,
      digest: this.digest,
      atMs: Math.floor(atMs),
      why,
      ...committed,
    };
    this.last = revision;
    this.log.push(entry);
    if (this.log.length > this.#logLength * 1.1)
      this.log.splice(0, this.log.length - this.#logLength);
    this.#onAppend();
  }

  addTombstone(member: string, value: number | string, untilMs: number): void {
    this.tombstones.set(member, { value, untilMs });
  }

  instanceTombstoneMs(): number {
    return Math.max(this.longestTtlMs, INSTANCE_TOMBSTONE_MS);
  }

  startLease(lease: string, instanceKey: InstanceKey, deadlineMs: number): void {
    this.deadlines.set(lease, deadlineMs);
    this.holders.set(lease, instanceKey);
    this.tombstones.delete(`l:${lease}`);
  }

  /** Remembers the instance of the lease, so that a renewal can tell a successor from lost data. */
  endLease(lease: string, instanceKey: InstanceKey, nowMs: number): void {
    if (lease === '') return;
    this.deadlines.delete(lease);
    this.holders.delete(lease);
    this.holds.delete(lease);
    this.addTombstone(`l:${lease}`, instanceKey, nowMs + this.instanceTombstoneMs());
  }

  /** Why a lease is missing. */
  missOf(lease: string): { kind: 'unknown' | 'superseded' } {
    const tombstone = this.tombstones.get(`l:${lease}`);
    const hasSuccessor = tombstone !== undefined && this.instances.has(String(tombstone.value));
    return { kind: hasSuccessor ? 'superseded' : 'unknown' };
  }

  count(instanceKey: InstanceKey, by: number): void {
    const service = serviceKeyOfInstance(instanceKey);
    const count = (this.counts.get(service) ?? 0) + by;
    if (count > 0) {
      this.counts.set(service, count);
      return;
    }
    this.counts.delete(service);
    this.guards.delete(service);
  }

  /** Writes and logs a record. `kept` is the revision of its content, if it is not that of this write. */
  writeRecord(
    record: Omit<InstanceRecord, 'revision'>,
    at: { nowMs: number; floor: number },
    why: TimelineKind,
    kept?: number,
  ): number {
    const revision = this.nextRevision(at.nowMs, at.floor);
    const written = Object.freeze({ ...record, revision: kept ?? revision });
    this.instances.set(instanceKeyOf(record), written);
    this.append(revision, at.nowMs, why, { op: 'set', record: written });
    return revision;
  }

  deleteRecord(
    record: InstanceRecord,
    at: { nowMs: number; floor: number },
    why: TimelineKind,
  ): number {
    const instanceKey = instanceKeyOf(record);
    this.instances.delete(instanceKey);
    this.count(instanceKey, -1);
    this.endLease(record.lease, instanceKey, at.nowMs);
    const revision = this.nextRevision(at.nowMs, at.floor);
    this.append(revision, at.nowMs, why, { op: 'del', instanceKey });
    if (why !== 'expired')
      this.addInstanceTombstones(instanceKey, record.lease, revision, at.nowMs);
    this.addProcessTombstone(instanceKey, record, at.nowMs);
    return revision;
  }

  /** Makes writes of this process with this number or a lower one change nothing. */
  addProcessTombstone(
    instanceKey: InstanceKey,
    { nonce, sequence }: Pick<InstanceRecord, 'nonce' | 'sequence'>,
    nowMs: number,
  ): void {
    if (nonce === '' || sequence === 0) return;
    const last = Math.max(this.lastSent(instanceKey, nonce), sequence);
    this.addTombstone(`s:${instanceKey}|${nonce}`, last, nowMs + SENT_MS);
  }

  /** Number of the last write of a process when it left an id; 0 = unknown. */
  lastSent(instanceKey: InstanceKey, nonce: string): number {
    return Number(this.tombstones.get(`s:${instanceKey}|${nonce}`)?.value ?? 0);
  }

  /** Records that a process was displaced from an id, or that it has the id again. */
  setFormer(instanceKey: InstanceKey, nonce: string, untilMs: number | undefined): void {
    if (nonce === '') return;
    const member = `n:${instanceKey}|${nonce}`;
    if (untilMs === undefined) this.tombstones.delete(member);
    else this.addTombstone(member, 1, untilMs + FORMER_MS);
  }

  isFormer(instanceKey: InstanceKey, nonce: string): boolean {
    return this.tombstones.has(`n:${instanceKey}|${nonce}`);
  }

  /** An instance that left must not come back with a replica's picture; the rules are those of prelude.lua. */
  addInstanceTombstones(
    instanceKey: InstanceKey,
    lease: string,
    revision: number,
    nowMs: number,
  ): void {
    const untilMs = nowMs + this.instanceTombstoneMs();
    this.addTombstone(`i:${instanceKey}`, revision, untilMs);
    if (lease !== '') this.addTombstone(`x:${lease}`, revision, untilMs);
  }

  /** A sign of life: clears the doubt, and watchers see it. */
  clearDoubt(lease: string, at: { nowMs: number; floor: number }): void {
    const record = this.instances.get(this.holders.get(lease) ?? '');
    if (record?.lease !== lease || record.doubt === undefined) return;
    this.writeRecord({ ...record, doubt: undefined, doubtUntilMs: 0 }, at, 'recovered');
  }
}

function digestAfter(before: string, revision: number, committed: Committed): string {
  const text = `${before} ${revision} ${JSON.stringify(committed)}`;
  return createHash('sha1').update(text).digest('hex').slice(0, 12);
}
