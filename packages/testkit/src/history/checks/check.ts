import type { Limits } from '../facts/bounds.ts';
import type { HistoryEvent, Promised, Seen } from '../facts/history-event.ts';
import type { Truth } from '../facts/truth.ts';

/** In which way a promise was broken. */
type ViolationKind =
  | 'lost'
  | 'forgotten'
  | 'emptied'
  | 'returned'
  | 'dead-in-use'
  | 'revision-fell'
  | 'pictures-differ'
  | 'not-converged'
  | 'stale-lease'
  | 'displaced'
  | 'retried-too-soon'
  | 'failed'
  | 'repeated';

export interface Violation {
  readonly promise: Promised;
  readonly kind: ViolationKind;
  readonly atMs: number;
  readonly message: string;
  /** The events that show it, in order. */
  readonly evidence: readonly HistoryEvent[];
}

/** One run, prepared for the checks. */
export interface Run {
  /** Ordered by `atMs`. */
  readonly events: readonly HistoryEvent[];
  readonly truth: Truth;
  readonly limits: Limits;
}

/** Finds violations of one promise, or of a part of it. */
export type Check = (run: Run) => Violation[];

export type Kind = HistoryEvent['kind'];

/** The events of one kind. */
export function only<K extends Kind>(
  events: readonly HistoryEvent[],
  kind: K,
): Extract<HistoryEvent, { kind: K }>[] {
  return events.filter((one): one is Extract<HistoryEvent, { kind: K }> => one.kind === kind);
}

/** The pictures of each watcher of each service, in order. */
export function pictures(events: readonly HistoryEvent[]): Seen[][] {
  const key = ({ watcher, service }: Seen) => `${watcher} ${service}`;
  return [...Map.groupBy(only(events, 'seen'), key).values()];
}

/** Names in a picture, of one tier or of all. */
export function namesIn(seen: Seen | undefined, tier?: 0): Set<string> {
  const endpoints = seen?.endpoints ?? [];
  const chosen = tier === undefined ? endpoints : endpoints.filter((one) => one.tier === tier);
  return new Set(chosen.map(({ instance }) => instance));
}
