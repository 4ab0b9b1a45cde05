import type { DeclaredService, Endpoint } from '@rollcall/contract';

/** The changes of one service. Never empty. */
export interface ServiceChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  /**
   * A subscriber that has seen everything up to this revision, and then this change, has missed nothing. Lower than
   * `revision` when the same write also changed other services.
   */
  readonly resumeAfter: number;
  /** The first revision of a change that merges several. */
  readonly first?: number;
  /** Present when it changed; null = no longer declared. */
  readonly declared?: DeclaredService | null;
  readonly upserts: readonly Endpoint[];
  readonly removes: readonly string[];
}

/**
 * In the order of the log. A stream that breaks between two changes must be able to resume before everything that the
 * later one shows, which may have begun before the earlier one ended.
 */
export function inOrder(changes: readonly ServiceChange[]): ServiceChange[] {
  const sorted = changes.toSorted((a, b) => a.revision - b.revision);
  let limit = Number.POSITIVE_INFINITY;
  for (let i = sorted.length - 1; i >= 0; i--) {
    const change = sorted[i] as ServiceChange;
    if (change.resumeAfter > limit) sorted[i] = { ...change, resumeAfter: limit };
    limit = Math.min(limit, (change.first ?? change.revision) - 1);
  }
  return sorted;
}
