import { instanceKeyOf, parseInstanceKey, serviceKeyOfInstance } from '@rollcall/contract';
import { isDeepStrictEqual } from 'node:util';
import { ttlOfLease } from '../lease-id.ts';
import { type InstanceRecord } from '../record.ts';
import type { GrantOutcome, GrantRequest } from '../store.ts';
import type { Partition } from './partition.ts';

/** Puts an instance on the roll; the rules are those of grant.lua. */
export function grant(partition: Partition, request: GrantRequest, nowMs: number): GrantOutcome {
  const { instanceKey, lease, nonce, body, sequence = 0 } = request;
  if (sequence > 0 && nonce !== '' && partition.lastSent(instanceKey, nonce) >= sequence) {
    return { kind: 'late' };
  }
  const record = partition.instances.get(instanceKey);
  let why: 'registered' | 'reregistered' | 'superseded' = 'registered';
  if (record === undefined) {
    const count = partition.counts.get(serviceKeyOfInstance(instanceKey)) ?? 0;
    if (count >= request.maxInstances) return { kind: 'full' };
    partition.countInstances(instanceKey, 1);
  } else {
    const again = regranted(partition, record, { request, nowMs });
    if (again !== undefined) return again;
    const change = displaced(partition, record, { request, nowMs });
    if (change === 'taken') return { kind: 'taken' };
    why = change;
  }
  if (lease !== '') {
    const ttlMs = ttlOfLease(lease);
    partition.state.longestTtlMs = Math.max(partition.state.longestTtlMs, ttlMs);
    partition.startLease(lease, instanceKey, nowMs + ttlMs);
  }
  partition.tombstones.delete(`i:${instanceKey}`);
  partition.setFormer(instanceKey, nonce, undefined);
  const registered = { ...parseInstanceKey(instanceKey), lease, nonce, sequence, doubt: undefined };
  const fresh = { ...registered, doubtUntilMs: 0, registeredAtMs: Math.floor(nowMs), body };
  const at = { nowMs, floor: request.floor };
  return { kind: 'granted', lease, revision: partition.writeRecord(fresh, at, why) };
}

interface Granting {
  readonly request: GrantRequest;
  readonly nowMs: number;
}

/** The same process again: the same lease, and a new revision only for new content. Undefined = needs a new lease. */
function regranted(
  partition: Partition,
  record: InstanceRecord,
  { request, nowMs }: Granting,
): GrantOutcome | undefined {
  const { nonce, body, floor, sequence = 0 } = request;
  const { lease, revision } = record;
  const deadline = partition.deadlineOf(lease);
  const isHolder = nonce !== '' && record.nonce === nonce && request.lease !== '';
  if (!isHolder || deadline === undefined) return undefined;
  const renewed = nowMs + ttlOfLease(lease);
  if (sequence > 0 && sequence <= record.sequence) {
    // A repeated request shows that the process lives, an older one does not. Neither has new content.
    const isAlive = sequence === record.sequence && record.doubt === undefined;
    if (isAlive) partition.deadlines.set(lease, Math.max(deadline, renewed));
    return { kind: 'granted', lease, revision };
  }
  if (ttlOfLease(lease) !== ttlOfLease(request.lease)) return undefined;
  partition.deadlines.set(lease, renewed);
  const numbered = { ...record, sequence: Math.max(record.sequence, sequence) };
  const isSame = isDeepStrictEqual(record.body, body);
  if (isSame && record.doubt === undefined) {
    // A new number alone is no change for watchers.
    partition.instances.set(instanceKeyOf(record), Object.freeze(numbered));
    return { kind: 'granted', lease, revision };
  }
  const why = isSame ? 'recovered' : 'reregistered';
  const written = { ...numbered, doubt: undefined, doubtUntilMs: 0, body };
  return {
    kind: 'granted',
    lease,
    revision: partition.writeRecord(written, { nowMs, floor }, why),
  };
}

/**
 * Another process, or the same one with another TTL: ends the old lease. A displaced process stays displaced: after a
 * broken hold or a pause of the store, only other processes may take the id.
 */
function displaced(
  partition: Partition,
  record: InstanceRecord,
  { request: { instanceKey, nonce, takeover }, nowMs }: Granting,
): 'taken' | 'superseded' | 'reregistered' {
  const isLive = record.lease === '' || (partition.deadlineOf(record.lease) ?? 0) > nowMs;
  const isOther = nonce !== '' && nonce !== record.nonce;
  const isFormer = isOther && partition.isFormer(instanceKey, nonce);
  const isClosed = isFormer || (isLive && record.doubt !== 'suspect');
  if (isOther && !takeover && isClosed) return 'taken';
  partition.endLease(record.lease, instanceKey, nowMs);
  if (record.nonce !== nonce) {
    partition.setFormer(instanceKey, record.nonce, nowMs);
    partition.addProcessTombstone(instanceKey, record, nowMs);
  }
  const displaces = isLive && record.lease !== '' && (nonce === '' || isOther);
  return displaces ? 'superseded' : 'reregistered';
}
