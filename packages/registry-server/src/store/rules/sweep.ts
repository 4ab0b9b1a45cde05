import { instanceKeyOf, serviceKeyOfInstance } from '@rollcall/contract';
import * as limits from '../limits.ts';
import { ttlOfLease } from '../lease-id.ts';
import { type InstanceRecord } from '../record.ts';
import type { SweepOutcome } from '../store.ts';
import type { Partition } from './partition.ts';
import { deleteResource } from './put.ts';
import type { GuardWindow } from './tables.ts';

interface At {
  readonly nowMs: number;
  readonly floor: number;
}

export interface SweepBy {
  /** How long the guard holds, in ms. */
  readonly guardMs: number;
  /** Id of the sweeping process. */
  readonly runId: string;
}

/** One sweep over a partition; the rules are those of expire.lua. */
export function sweep(partition: Partition, at: At, { guardMs, runId }: SweepBy): SweepOutcome {
  removeEnded(partition, at);
  const graceUntilMs = graceOf(partition, at, runId);
  const { doubtedAtMs, longestTtlMs } = partition.state;
  const isUncertain = doubtedAtMs !== undefined && at.nowMs - doubtedAtMs < longestTtlMs;
  const none = { expired: 0, guarded: 0, more: false, isUncertain };
  if (at.nowMs < graceUntilMs) return { ...none, graceUntilMs };

  const victims = dueOf(partition, at.nowMs);
  const guard = new Guard(partition, at.nowMs, guardMs, victims);
  let expired = 0;
  let guarded = 0;
  for (const record of victims) {
    if (expired + guarded >= limits.SWEEP_LIMIT) break;
    const window = record.doubt === undefined ? guard.windowOf(record) : undefined;
    if (window !== undefined && window.untilMs > at.nowMs) {
      partition.deadlines.set(record.lease, window.untilMs);
      partition.writeRecord(
        { ...record, doubt: 'unreachable', doubtUntilMs: Math.floor(window.untilMs) },
        at,
        'unreachable',
      );
      guarded++;
    } else {
      if (window !== undefined) guard.countLoss(record, window);
      partition.deleteRecord(record, at, 'expired');
      expired++;
    }
  }
  const more = victims.length > expired + guarded;
  return { ...none, expired, guarded, graceUntilMs: 0, more };
}

function removeEnded(partition: Partition, at: At): void {
  const ended = [...partition.resources.values()]
    .filter(({ untilMs }) => untilMs !== 0 && untilMs <= at.nowMs)
    .toSorted((a, b) => a.untilMs - b.untilMs || (a.key < b.key ? -1 : 1));
  for (const resource of ended) {
    const revision = deleteResource(partition, resource, at);
    partition.addTombstone(`r:${resource.key}`, revision, at.nowMs + limits.RESOURCE_TOMBSTONE_MS);
  }
  for (const [member, { untilMs }] of partition.tombstones) {
    if (untilMs <= at.nowMs) partition.tombstones.delete(member);
  }
}

/** While sweeps paused, leases could not be renewed either. A clock that jumped makes every deadline wrong. */
function graceOf(partition: Partition, at: At, runId: string): number {
  const { nowMs } = at;
  const { state } = partition;
  const { lastSweepMs: last, longestTtlMs: longest, grace } = state;
  state.lastSweepMs = nowMs;
  if (last !== undefined && nowMs >= last && nowMs - last <= limits.SWEEP_GAP_MS) {
    return grace.untilMs;
  }
  const isOther = state.runId !== undefined && state.runId !== runId;
  state.runId = runId;
  if (last !== undefined && (isOther || nowMs - last > longest)) {
    // After so long nothing can be assumed: an instance that lives renews within its own TTL.
    state.doubtedAtMs = nowMs;
    state.grace = { ...grace, untilMs: 0 };
    doubtAll(partition, at);
    return 0;
  }
  const isChained =
    grace.startMs > 0 &&
    grace.startMs <= nowMs &&
    nowMs - grace.lastGapMs <= longest + limits.GRACE_CHAIN_MS;
  const startMs = isChained ? grace.startMs : nowMs;
  const pauseMs = last === undefined || nowMs < last ? longest : nowMs - last;
  const lengthMs = Math.min(pauseMs * 2, longest);
  const untilMs = Math.min(
    Math.max(nowMs + lengthMs, isChained ? grace.untilMs : 0),
    startMs + limits.LONGEST_GRACE_MS,
  );
  state.grace = { startMs, untilMs, lastGapMs: nowMs };
  for (const [lease, deadline] of partition.deadlines) {
    if (deadline > nowMs + longest) partition.deadlines.set(lease, nowMs + ttlOfLease(lease));
  }
  return untilMs;
}

/** Marks every lease as unconfirmed; each has its own TTL from now on to renew. */
function doubtAll(partition: Partition, at: At): void {
  for (const lease of [...partition.deadlines.keys()].toSorted()) {
    const record = partition.recordOf(lease);
    if (record === undefined) continue;
    if (partition.deadlines.get(lease) === at.nowMs + ttlOfLease(lease)) continue;
    partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
    if (record.doubt !== undefined) continue;
    partition.writeRecord({ ...record, doubt: 'unconfirmed', doubtUntilMs: 0 }, at, 'unconfirmed');
  }
}

function dueOf(partition: Partition, nowMs: number): InstanceRecord[] {
  const due: [string, number][] = [];
  for (const entry of partition.deadlines) if (entry[1] <= nowMs) due.push(entry);
  due.sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  return due.slice(0, limits.SWEEP_COUNT_LIMIT).flatMap(([lease]) => {
    const record = partition.recordOf(lease);
    return record === undefined ? [] : [record];
  });
}

const NO_WINDOW: GuardWindow = { beganMs: 0, size: 0, lost: 0, untilMs: 0 };

/** Decides per service whether silent instances are really gone. */
class Guard {
  readonly #partition: Partition;
  readonly #nowMs: number;
  readonly #guardMs: number;
  readonly #silent = new Map<string, number>();
  readonly #seen = new Set<string>();

  constructor(partition: Partition, nowMs: number, guardMs: number, victims: InstanceRecord[]) {
    this.#partition = partition;
    this.#nowMs = nowMs;
    this.#guardMs = guardMs;
    for (const record of victims) {
      if (record.doubt !== undefined) continue;
      const service = serviceKeyOfInstance(instanceKeyOf(record));
      this.#silent.set(service, (this.#silent.get(service) ?? 0) + 1);
    }
  }

  /** The window of the record's service; the first question of a sweep brings it up to date. */
  windowOf(record: InstanceRecord): GuardWindow {
    const service = serviceKeyOfInstance(instanceKeyOf(record));
    const { guards } = this.#partition;
    const known = guards.get(service);
    if (known !== undefined && this.#seen.has(service)) return known;
    this.#seen.add(service);
    const window = this.#current(known ?? NO_WINDOW, service, ttlOfLease(record.lease));
    guards.set(service, window);
    return window;
  }

  /** Counts the loss of one instance that the guard let go. */
  countLoss(record: InstanceRecord, window: GuardWindow): void {
    const service = serviceKeyOfInstance(instanceKeyOf(record));
    this.#partition.guards.set(service, { ...window, lost: window.lost + 1 });
  }

  #current(known: GuardWindow, service: string, ttlMs: number): GuardWindow {
    const nowMs = this.#nowMs;
    const isOver = nowMs - known.beganMs > ttlMs || nowMs < known.beganMs;
    const isNew = known.beganMs === 0 || isOver;
    const size = isNew ? (this.#partition.counts.get(service) ?? 0) : known.size;
    const { beganMs, lost } = isNew ? { beganMs: nowMs, lost: 0 } : known;
    // An end that is too far ahead comes from a clock that was set back since.
    const untilMs = known.untilMs > nowMs + this.#guardMs ? 0 : known.untilMs;
    const silent = lost + (this.#silent.get(service) ?? 0);
    const isMassLoss = size >= limits.GUARD_FLOOR && silent * 2 > size;
    const isStarting = untilMs <= nowMs && isMassLoss;
    return { beganMs, size, lost, untilMs: isStarting ? nowMs + this.#guardMs : untilMs };
  }
}
