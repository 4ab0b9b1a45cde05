import { ttlOfLease } from '../lease-id.ts';
import * as limits from '../limits.ts';
import type { HoldOutcome, RenewOutcome, SecondLook, Write } from '../store.ts';
import type { Partition } from './partition.ts';

/** Moves deadlines to now + TTL and clears doubts; the rules are those of renew.lua. */
export function renew(
  partition: Partition,
  leases: readonly string[],
  at: { readonly nowMs: number; readonly floor: number },
): RenewOutcome {
  const unknown: string[] = [];
  const superseded: string[] = [];
  for (const lease of leases) {
    if (partition.deadlines.has(lease)) {
      partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
      partition.clearDoubt(lease, at);
    } else if (partition.missOf(lease).kind === 'superseded') superseded.push(lease);
    else unknown.push(lease);
  }
  return { unknown, superseded };
}

/** Numbers a new hold; the rules are those of hold.lua. */
export function hold(
  partition: Partition,
  lease: string,
  at: { readonly nowMs: number; readonly floor: number },
): HoldOutcome {
  if (!partition.deadlines.has(lease)) return partition.missOf(lease);
  partition.deadlines.set(lease, at.nowMs + ttlOfLease(lease));
  partition.clearDoubt(lease, at);
  // From the clock, so that no number is used again after the store lost its data.
  const number = Math.max((partition.holds.get(lease) ?? 0) + 1, Math.floor(at.nowMs * 1_000));
  partition.holds.set(lease, number);
  return { kind: 'held', hold: number };
}

/** Doubts the instance whose hold broke; the rules are those of suspect.lua. */
export function suspect(
  partition: Partition,
  { lease, hold: number }: { readonly lease: string; readonly hold: number },
  { floor, isSecondLook = false, nowMs }: Write & SecondLook & { readonly nowMs: number },
): boolean {
  if (partition.holds.get(lease) !== number) return false;
  const record = partition.recordOf(lease);
  const deadline = partition.deadlineOf(lease);
  if (record === undefined || deadline === undefined) return false;
  const heartbeatMs = isSecondLook ? ttlOfLease(lease) / 3 : 0;
  const dueMs = nowMs + limits.SUSPECT_MS + heartbeatMs;
  partition.deadlines.set(lease, Math.min(deadline, dueMs));
  if (record.doubt !== 'suspect') {
    const doubted = { ...record, doubt: 'suspect' as const, doubtUntilMs: 0 };
    partition.writeRecord(doubted, { nowMs, floor }, 'suspected');
  }
  return true;
}
