import { createHash } from 'node:crypto';
import {
  type TimelineKind,
  instanceKeyOf,
  serviceKeyOfInstance,
  type InstanceKey,
} from '@rollcall/contract';
import { FORMER_MS, INSTANCE_TOMBSTONE_MS, SENT_MS } from '../limits.ts';
import type { LogEntry } from '../log-entry.ts';
import { type InstanceRecord, type ResourceRecord } from '../record.ts';
import type { RollState, Tables } from './tables.ts';

/** What a write commits, without the fields that the partition adds. */
type Committed =
  | { readonly op: 'set'; readonly record: InstanceRecord }
  | { readonly op: 'del'; readonly instanceKey: InstanceKey }
  | { readonly op: 'put'; readonly resource: ResourceRecord }
  | { readonly op: 'rm'; readonly key: string }
  | { readonly op: 'bump' };

/** The tables of one partition and the steps common to all writes. */
export class Partition {
  readonly instances: Tables['instances'];
  readonly holders: Tables['holders'];
  readonly deadlines: Tables['deadlines'];
  readonly resources: Tables['resources'];
  readonly tombstones: Tables['tombstones'];
  readonly holds: Tables['holds'];
  readonly counts: Tables['counts'];
  readonly guards: Tables['guards'];
  readonly pools: Tables['pools'];
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.instances = tables.instances;
    this.holders = tables.holders;
    this.deadlines = tables.deadlines;
    this.resources = tables.resources;
    this.tombstones = tables.tombstones;
    this.holds = tables.holds;
    this.counts = tables.counts;
    this.guards = tables.guards;
    this.pools = tables.pools;
    this.#tables = tables;
  }

  /** Read anew by a backend at each transaction, so it must not be kept. */
  get state(): RollState {
    return this.#tables.state;
  }

  nextRevision(nowMs: number, floor: number): number {
    return Math.max(this.state.last + 1, Math.floor(nowMs * 1_000), floor + 1);
  }

  append(revision: number, atMs: number, why: TimelineKind, committed: Committed): void {
    const { state } = this;
    const before = state.digest;
    state.digest = digestAfter(before, revision, committed);
    const entry: LogEntry = {
      revision,
      prev: state.last,
      before,
      digest: state.digest,
      atMs: Math.floor(atMs),
      why,
      ...committed,
    };
    state.last = revision;
    this.#tables.log.append(entry);
  }

  addTombstone(member: string, value: number | string, untilMs: number): void {
    this.tombstones.set(member, { value, untilMs });
  }

  instanceTombstoneMs(): number {
    return Math.max(this.state.longestTtlMs, INSTANCE_TOMBSTONE_MS);
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

  /** The record whose current lease this is. */
  recordOf(lease: string): InstanceRecord | undefined {
    const instanceKey = this.holders.get(lease);
    const record = instanceKey === undefined ? undefined : this.instances.get(instanceKey);
    return record?.lease === lease ? record : undefined;
  }

  /** Unix ms at which a lease ends; undefined = not a live lease, or none at all. */
  deadlineOf(lease: string): number | undefined {
    return lease === '' ? undefined : this.deadlines.get(lease);
  }

  /** Why a lease is missing. */
  missOf(lease: string): { kind: 'unknown' | 'superseded' } {
    const tombstone = this.tombstones.get(`l:${lease}`);
    const hasSuccessor = tombstone !== undefined && this.instances.has(String(tombstone.value));
    return { kind: hasSuccessor ? 'superseded' : 'unknown' };
  }

  countInstances(instanceKey: InstanceKey, by: number): void {
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
    this.countInstances(instanceKey, -1);
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
    const record = this.recordOf(lease);
    if (record?.doubt === undefined) return;
    this.writeRecord({ ...record, doubt: undefined, doubtUntilMs: 0 }, at, 'recovered');
  }
}

function digestAfter(before: string, revision: number, committed: Committed): string {
  const text = `${before} ${revision} ${JSON.stringify(committed)}`;
  return createHash('sha1').update(text).digest('hex').slice(0, 12);
}
