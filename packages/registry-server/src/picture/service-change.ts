import { type DeclaredService, type Endpoint, serviceKeyOf } from '@rollcall/contract';

/** The changes of one service. Never empty. */
export interface ServiceChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  /**
   * The revision to resume from after this change. Lower than `revision` when a change that is sent later also shows
   * something older: what the same write did to another service, or the first of several merged changes.
   */
  readonly resumeAfter: number;
  /** The first revision of a change that merges several. */
  readonly first?: number;
  /** Present when it changed; null = no longer declared. */
  readonly declared?: DeclaredService | null;
  readonly upserts: readonly Endpoint[];
  readonly removes: readonly string[];
}

/** Several changes of a service, merged: the latest state of everything that one of them shows. */
export function mergedChange(changes: readonly ServiceChange[]): ServiceChange {
  const [first] = changes as [ServiceChange];
  const latest = new Map<string, Endpoint | undefined>();
  let declared: ServiceChange['declared'];
  for (const change of changes) {
    for (const id of change.removes) latest.set(id, undefined);
    for (const endpoint of change.upserts) latest.set(endpoint.id, endpoint);
    if (change.declared !== undefined) declared = change.declared;
  }
  const upserts = [...latest.values()].filter((endpoint) => endpoint !== undefined);
  const removes = [...latest].filter(([, endpoint]) => endpoint === undefined).map(([id]) => id);
  const { declared: _, ...last } = changes.at(-1) as ServiceChange;
  const parts = { first: first.first ?? first.revision, upserts, removes };
  return { ...last, ...parts, ...(declared === undefined ? {} : { declared }) };
}

/**
 * One change for each service, in the order of the log. What came and went in between is not shown, not even for a
 * moment; but the latest state of it is, to clients that saw it in between from another server.
 */
export function mergedByService(changes: readonly ServiceChange[]): ServiceChange[] {
  const byService = Map.groupBy(changes, serviceKeyOf);
  const merged = Array.from(byService.values(), (own) => {
    const [only] = own as [ServiceChange];
    const change = own.length === 1 ? only : mergedChange(own);
    return { ...change, resumeAfter: change.revision };
  });
  return inOrder(merged);
}

/**
 * In the order of the log. A stream that breaks between two changes must be able to resume before everything that the
 * later one shows, which may have begun before the earlier one ended.
 */
function inOrder(changes: readonly ServiceChange[]): ServiceChange[] {
  const sorted = changes.toSorted((a, b) => a.revision - b.revision);
  let limit = Number.POSITIVE_INFINITY;
  for (let i = sorted.length - 1; i >= 0; i--) {
    const change = sorted[i] as ServiceChange;
    if (change.resumeAfter > limit) sorted[i] = { ...change, resumeAfter: limit };
    limit = Math.min(limit, (change.first ?? change.revision) - 1);
  }
  return sorted;
}
