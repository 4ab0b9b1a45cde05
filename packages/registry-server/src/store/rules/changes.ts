import { isDeepStrictEqual } from 'node:util';
import * as limits from '../limits.ts';
import type { InstanceBody } from '../record.ts';
import type {
  BodyPatch,
  ChangeOutcome,
  RemoveOutcome,
  RemoveRequest,
  RevokeRequest,
  UpdateRequest,
} from '../store.ts';
import type { Partition } from './partition.ts';
import { deleteResource } from './put.ts';

/** Changes an instance; the rules are those of update.lua. */
export function update(partition: Partition, request: UpdateRequest, nowMs: number): ChangeOutcome {
  const { instanceKey, lease, patch, floor, sequence = 0 } = request;
  const record = partition.instances.get(instanceKey);
  if (record === undefined) {
    return lease === undefined ? { kind: 'missing' } : partition.missOf(lease);
  }
  if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
  const own = lease === undefined ? 0 : sequence;
  const { revision } = record;
  if (own > 0 && own <= record.sequence) return { kind: 'changed', revision };
  const body = patched(record.body, patch);
  const numbered = { ...record, sequence: Math.max(record.sequence, own) };
  if (isDeepStrictEqual(body, record.body)) {
    partition.instances.set(instanceKey, Object.freeze(numbered));
    return { kind: 'changed', revision };
  }
  const isDraining = body.status === 'draining' && record.body.status !== 'draining';
  const why = isDraining ? 'draining' : 'updated';
  const written = partition.writeRecord({ ...numbered, body }, { nowMs, floor }, why);
  return { kind: 'changed', revision: written };
}

/** Takes an instance off the roll; the rules are those of revoke.lua. */
export function revoke(partition: Partition, request: RevokeRequest, nowMs: number): ChangeOutcome {
  const { instanceKey, lease, nonce = '', sequence = 0, floor } = request;
  const record = partition.instances.get(instanceKey);
  // Earlier writes that the process got no answer to may still arrive.
  partition.addProcessTombstone(instanceKey, { nonce, sequence }, nowMs);
  if (record === undefined) {
    // A restore after lost data must not bring back an instance that was deregistered in between.
    const revision = partition.nextRevision(nowMs, floor);
    partition.addInstanceTombstones(instanceKey, lease ?? '', revision, nowMs);
    return { kind: 'missing' };
  }
  if (lease !== undefined && lease !== record.lease) return { kind: 'superseded' };
  if (nonce !== '' && nonce !== record.nonce) return { kind: 'superseded' };
  const at = { nowMs, floor };
  return { kind: 'changed', revision: partition.deleteRecord(record, at, 'deregistered') };
}

/** Removes a resource; the rules are those of remove.lua. */
export function remove(
  partition: Partition,
  { key, floor, expected }: RemoveRequest,
  nowMs: number,
): RemoveOutcome {
  const resource = partition.resources.get(key);
  if (resource !== undefined && expected !== undefined && expected !== resource.revision)
    return { kind: 'other' };
  const revision =
    resource === undefined
      ? partition.nextRevision(nowMs, floor)
      : deleteResource(partition, resource, { nowMs, floor });
  partition.addTombstone(`r:${key}`, revision, nowMs + limits.RESOURCE_TOMBSTONE_MS);
  return resource === undefined ? { kind: 'missing' } : { kind: 'changed', revision };
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
