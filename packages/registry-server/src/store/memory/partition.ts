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

/** What is committed, less what the partition itself adds. */
type Committed =
  | { readonly op: 'set'; readonly record: InstanceRecord }
  | { readonly op: 'del'; readonly instanceKey: InstanceKey }
  | { readonly op: 'put'; readonly resource: ResourceRecord }
  | { readonly op: 'rm'; readonly key: string }
  | { readonly op: 'lift' };

/** A service's window in which silent losses are counted. */
export interface GuardWindow {
  beganMs: number;
  size: number;
  lost: number;
  untilMs: number;
}

interface Grave {
  /** Revision of the deletion, or the instance that a lease was for. */
  readonly value: number | string;
  readonly untilMs: number;
}

/** The tables of one partition and what every write does to them: the memory driver's Redis. */
export class Partition {
  readonly instances = new Map<string, InstanceRecord>();
  readonly holders = new Map<string, string>();
  readonly deadlines = new Map<string, number>();
  readonly resources = new Map<string, ResourceRecord>();
  readonly graves = new Map<string, Grave>();
  readonly holds = new Map<string, number>();
  readonly counts = new Map<string, number>();
  readonly guards = new Map<string, GuardWindow>();
  /** Number -> key of the resource that has it. */
  readonly pools: Readonly<Record<PoolName, Map<number, string>>> = {
    clusterIps: new Map(),
    nodePorts: new Map(),
  };
  /** What was last given from. */
  readonly ranges: Partial<Record<PoolName, Pool>> = {};
  /** Pools that were given from more than one range. */
  readonly mixed = new Set<PoolName>();
  /** Where the search for a free number goes on. */
  readonly cursors: Partial<Record<PoolName, number>> = {};
  readonly log: LogEntry[] = [];
  last = 0;
  /** Digest of everything up to the last revision. */
  mark = '';
  longestTtlMs = 0;
  lastSweepMs: number | undefined;
  grace = { startMs: 0, untilMs: 0, lastGapMs: 0 };
  /** Which process swept last. */
  runId: string | undefined;
  /** When the store was last found to have been away for too long, or to be another process. */
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
    const before = this.mark;
    this.mark = markAfter(before, revision, committed);
    const entry: LogEntry = {
      revision,
      prev: this.last,
      before,
      mark: this.mark,
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

  bury(member: string, value: number | string, untilMs: number): void {
    this.graves.set(member, { value, untilMs });
  }

  instanceGraveMs(): number {
    return Math.max(this.longestTtlMs, INSTANCE_TOMBSTONE_MS);
  }

  startLease(lease: string, instanceKey: InstanceKey, deadlineMs: number): void {
    this.deadlines.set(lease, deadlineMs);
    this.holders.set(lease, instanceKey);
    this.graves.delete(`l:${lease}`);
  }

  /** Remembers whose lease it was: a renewal can then be told of a successor, and not of a lost memory. */
  endLease(lease: string, instanceKey: InstanceKey, nowMs: number): void {
    if (lease === '') return;
    this.deadlines.delete(lease);
    this.holders.delete(lease);
    this.holds.delete(lease);
    this.bury(`l:${lease}`, instanceKey, nowMs + this.instanceGraveMs());
  }

  /** Why a lease is not there. */
  missOf(lease: string): { kind: 'unknown' | 'superseded' } {
    const grave = this.graves.get(`l:${lease}`);
    const hasSuccessor = grave !== undefined && this.instances.has(String(grave.value));
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

  /** Writes and logs a record; `kept` is the revision of its content when it is not that of this write. */
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
    if (why !== 'expired') this.buryInstance(instanceKey, record.lease, revision, at.nowMs);
    this.buryProcess(instanceKey, record, at.nowMs);
    return revision;
  }

  /** What a process sent under this number or an earlier one changes nothing any more. */
  buryProcess(
    instanceKey: InstanceKey,
    { nonce, sequence }: Pick<InstanceRecord, 'nonce' | 'sequence'>,
    nowMs: number,
  ): void {
    if (nonce === '' || sequence === 0) return;
    const last = Math.max(this.lastSent(instanceKey, nonce), sequence);
    this.bury(`s:${instanceKey}|${nonce}`, last, nowMs + SENT_MS);
  }

  /** How far a process had come when it left an id; 0 = it is not known. */
  lastSent(instanceKey: InstanceKey, nonce: string): number {
    return Number(this.graves.get(`s:${instanceKey}|${nonce}`)?.value ?? 0);
  }

  /** A process was displaced from an id, or has it again. */
  setFormer(instanceKey: InstanceKey, nonce: string, untilMs: number | undefined): void {
    if (nonce === '') return;
    const member = `n:${instanceKey}|${nonce}`;
    if (untilMs === undefined) this.graves.delete(member);
    else this.bury(member, 1, untilMs + FORMER_MS);
  }

  isFormer(instanceKey: InstanceKey, nonce: string): boolean {
    return this.graves.has(`n:${instanceKey}|${nonce}`);
  }

  /** Who leaves does not come back with anybody's picture; the rules are those of prelude.lua. */
  buryInstance(instanceKey: InstanceKey, lease: string, revision: number, nowMs: number): void {
    const untilMs = nowMs + this.instanceGraveMs();
    this.bury(`i:${instanceKey}`, revision, untilMs);
    if (lease !== '') this.bury(`x:${lease}`, revision, untilMs);
  }

  /** A sign of life: the doubt goes, and whoever watches sees it. */
  clearDoubt(lease: string, at: { nowMs: number; floor: number }): void {
    const record = this.instances.get(this.holders.get(lease) ?? '');
    if (record?.lease !== lease || record.doubt === undefined) return;
    this.writeRecord({ ...record, doubt: undefined, doubtUntilMs: 0 }, at, 'recovered');
  }
}

function markAfter(before: string, revision: number, committed: Committed): string {
  const text = `${before} ${revision} ${JSON.stringify(committed)}`;
  return createHash('sha1').update(text).digest('hex').slice(0, 12);
}
