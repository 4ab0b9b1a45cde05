import { type Doubt, instanceKeyOf } from '@rollcall/contract';
import { ttlOfLease } from '../lease-id.ts';
import { type InstanceRecord, type ResourceRecord } from '../record.ts';
import type { RestoreRequest, Tombstone } from '../store.ts';
import type { Partition } from './partition.ts';
import { settle } from './settle.ts';
import { deleteResource, releaseClaims } from './put.ts';

interface At {
  readonly nowMs: number;
  readonly floor: number;
}

/** Takes what is newer in a picture than record and tombstone; the rules are those of restore.lua. */
export function restore(partition: Partition, request: RestoreRequest, nowMs: number): number {
  const at = { nowMs, floor: request.floor };
  let taken = 0;
  for (const record of request.instances) taken += restoreInstance(partition, record, at);
  for (const resource of request.resources) taken += restoreResource(partition, resource, at);
  for (const tombstone of request.tombstones) taken += restoreTombstone(partition, tombstone, at);
  settle(partition, at);
  return taken;
}

function hasTombstone(partition: Partition, member: string, revision: number): boolean {
  const tombstone = partition.tombstones.get(member);
  return tombstone !== undefined && Number(tombstone.value) >= revision;
}

function restoreInstance(partition: Partition, offered: InstanceRecord, at: At): number {
  const instanceKey = instanceKeyOf(offered);
  const existing = partition.instances.get(instanceKey);
  if (hasTombstone(partition, `i:${instanceKey}`, offered.revision)) return 0;
  if (partition.tombstones.has(`x:${offered.lease}`)) return 0;
  if (existing !== undefined && existing.revision >= offered.revision) return 0;
  const known = existing?.lease === offered.lease ? existing : undefined;
  if (existing === undefined) partition.countInstances(instanceKey, 1);
  else if (known === undefined) partition.endLease(existing.lease, instanceKey, at.nowMs);
  if (offered.lease !== '' && known === undefined) {
    const ttlMs = ttlOfLease(offered.lease);
    partition.state.longestTtlMs = Math.max(partition.state.longestTtlMs, ttlMs);
    partition.startLease(offered.lease, instanceKey, at.nowMs + ttlMs);
  }
  const record = { ...offered, doubt: doubtOf(offered, known), doubtUntilMs: 0 };
  partition.writeRecord(record, at, 'restored', offered.revision);
  return 1;
}

/** For a lease that the store knows, the offer is the newer state: a hold broke, or a doubt was cleared. */
function doubtOf(
  { lease, doubt }: InstanceRecord,
  known: InstanceRecord | undefined,
): Doubt | undefined {
  if (lease === '') return undefined;
  if (known === undefined || doubt === 'unreachable') return 'unconfirmed';
  return known.doubt === 'unconfirmed' ? (doubt ?? 'unconfirmed') : doubt;
}

function restoreResource(partition: Partition, offered: ResourceRecord, at: At): number {
  const existing = partition.resources.get(offered.key);
  if (hasTombstone(partition, `r:${offered.key}`, offered.revision)) return 0;
  if (existing !== undefined && existing.revision >= offered.revision) return 0;
  if (offered.untilMs !== 0 && offered.untilMs <= at.nowMs) return 0;
  if (existing !== undefined) releaseClaims(partition, existing);
  for (const { pool, number } of offered.claims) {
    if (!partition.pools[pool].has(number)) partition.pools[pool].set(number, offered.key);
  }
  partition.resources.set(offered.key, offered);
  const revision = partition.nextRevision(at.nowMs, at.floor);
  partition.append(revision, at.nowMs, 'restored', { op: 'put', resource: offered });
  return 1;
}

function restoreTombstone(partition: Partition, { member, revision, forMs }: Tombstone, at: At) {
  if (hasTombstone(partition, member, revision)) return 0;
  const key = member.slice(2);
  if (member.startsWith('x:')) {
    const existing = partition.recordOf(key);
    if (existing !== undefined) partition.deleteRecord(existing, at, 'deregistered');
  } else if (member.startsWith('i:')) {
    const existing = partition.instances.get(key);
    if (existing !== undefined && existing.revision >= revision) return 0;
    if (existing !== undefined) partition.deleteRecord(existing, at, 'deregistered');
  } else {
    const existing = partition.resources.get(key);
    if (existing !== undefined && existing.revision >= revision) return 0;
    if (existing !== undefined) deleteResource(partition, existing, at);
  }
  // With the offered revision, not that of this write: a picture where the entry came back later must still win.
  partition.addTombstone(member, revision, at.nowMs + forMs);
  return 1;
}
