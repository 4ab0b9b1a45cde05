import type { RefusalReason } from '@rollcall/dataplane';

/** Clients turned away, by reason. */
export type RefusalCounters = Record<RefusalReason, number>;

export function createRefusalCounters(): RefusalCounters {
  return { no_target: 0, all_failed: 0, denied: 0, limit: 0 };
}
