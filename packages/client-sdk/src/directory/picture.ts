import {
  type ChangeEvent,
  type Endpoint,
  type SnapshotEvent,
  STATE_TABLE,
} from '@rollcall/contract';
import type { ServiceSnapshot } from '../api/service.ts';

/** A snapshot and the data needed to update it. Immutable: every step creates a new one. */
export interface Picture {
  readonly snapshot: ServiceSnapshot;
  /** Epoch of the store's memory that the snapshot came from. */
  readonly epoch: string;
  /** Endpoints that a new store has not shown yet: id -> when to give them up, on the client's clock. */
  readonly unconfirmed: ReadonlyMap<string, number>;
  /** When to give up a declaration that a new store does not know, on the client's clock; Infinity = never. */
  readonly declaredUntilMs: number;
}

const NOBODY: ReadonlyMap<string, number> = new Map();
const UNCONFIRMED_REASON = 'not yet back on the roll of a new store';

/** Whether revision `a` came after `b`; both are decimal numbers of up to 16 digits. */
export function isNewer(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/**
 * The picture after a snapshot. A snapshot of the same store replaces the picture unless it is older. A snapshot of
 * another store (its epoch differs) proves nothing about the endpoints that it does not contain: the store was emptied
 * or replaced, so these endpoints stay for `graceMs` as a last resort.
 */
export function withSnapshot(
  previous: Picture | undefined,
  event: SnapshotEvent,
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): Picture {
  const isSameStore = previous?.epoch === event.epoch;
  if (isSameStore && !isNewer(event.revision, previous.snapshot.revision)) return previous;
  const named = new Set(event.endpoints.map(({ id }) => id));
  const unconfirmed = new Map<string, number>();
  const kept: Endpoint[] = [];
  for (const endpoint of previous?.snapshot.endpoints ?? []) {
    const untilMs = previous?.unconfirmed.get(endpoint.id);
    if (named.has(endpoint.id) || (isSameStore && untilMs === undefined)) continue;
    unconfirmed.set(endpoint.id, untilMs ?? nowMs + graceMs);
    kept.push(untilMs === undefined ? asUnconfirmed(endpoint) : endpoint);
  }
  const { declared, untilMs } = declarationAfter(previous, event, nowMs + graceMs);
  const inner = { epoch: event.epoch, unconfirmed, declaredUntilMs: untilMs };
  return pictureOf({ ...event, declared }, [...event.endpoints, ...kept], inner);
}

/** The epoch of a picture whose history the store lost: it matches no store. */
export const LOST = '';

/**
 * The picture once its stream reports that it is also the picture of another store's memory. `before`: the stream's
 * epoch until now. A picture with a different epoch came from another stream and stays unchanged.
 */
export function ofEpoch(picture: Picture, before: string | undefined, epoch: string): Picture {
  const isOther = picture.epoch === LOST || (before !== undefined && picture.epoch !== before);
  return isOther || picture.epoch === epoch ? picture : { ...picture, epoch };
}

/** The picture after a change; the same object when the picture already contains the change. */
export function withChange(previous: Picture, event: ChangeEvent): Picture {
  if (!isNewer(event.revision, previous.snapshot.revision)) return previous;
  const upserts = new Map(event.upserts.map((endpoint) => [endpoint.id, endpoint]));
  const removes = new Set(event.removes);
  const endpoints = previous.snapshot.endpoints.flatMap((endpoint) => {
    const upsert = upserts.get(endpoint.id);
    upserts.delete(endpoint.id);
    return removes.has(endpoint.id) ? [] : [upsert ?? endpoint];
  });
  const named = new Set([...removes, ...event.upserts.map(({ id }) => id)]);
  const isSilent = event.declared === undefined;
  const inner = {
    epoch: previous.epoch,
    unconfirmed: without(previous.unconfirmed, (id) => named.has(id)),
    declaredUntilMs: isSilent ? previous.declaredUntilMs : Infinity,
  };
  const declared = event.declared === undefined ? previous.snapshot.declared : event.declared;
  return pictureOf({ ...event, declared }, [...endpoints, ...upserts.values()], inner);
}

/**
 * The picture after the grace period of unconfirmed endpoints, or of a declaration, has ended; the same object when
 * none has.
 */
export function withoutExpired(previous: Picture, nowMs: number): Picture {
  const isOver = (id: string) => (previous.unconfirmed.get(id) ?? Infinity) <= nowMs;
  const endpoints = previous.snapshot.endpoints.filter(({ id }) => !isOver(id));
  const isLapsed = previous.declaredUntilMs <= nowMs;
  if (endpoints.length === previous.snapshot.endpoints.length && !isLapsed) return previous;
  const { snapshot, epoch } = previous;
  const shown = isLapsed ? { ...snapshot, declared: null } : snapshot;
  return pictureOf(shown, endpoints, {
    epoch,
    unconfirmed: without(previous.unconfirmed, isOver),
    declaredUntilMs: isLapsed ? Infinity : previous.declaredUntilMs,
  });
}

/** When the next grace period ends; Infinity when nothing is unconfirmed. */
export function nextExpiryMs(picture: Picture): number {
  return Math.min(picture.declaredUntilMs, ...picture.unconfirmed.values());
}

/**
 * When a store that lost its memory does not know a declaration, this does not mean that the declaration was withdrawn:
 * it stays for a grace period.
 */
function declarationAfter(
  previous: Picture | undefined,
  event: SnapshotEvent,
  untilMs: number,
): { readonly declared: SnapshotEvent['declared']; readonly untilMs: number } {
  const held = previous?.snapshot.declared ?? null;
  const isKept = event.declared === null && held !== null;
  const isPending = previous !== undefined && previous.declaredUntilMs !== Infinity;
  if (!isKept || (previous?.epoch === event.epoch && !isPending)) {
    return { declared: event.declared, untilMs: Infinity };
  }
  return { declared: held, untilMs: isPending ? previous.declaredUntilMs : untilMs };
}

/** Doubt changes only endpoints that would otherwise be called: those that are draining or down keep their state. */
function asUnconfirmed(endpoint: Endpoint): Endpoint {
  if (endpoint.tier === null) return endpoint;
  return freeze({
    ...endpoint,
    ...STATE_TABLE.unconfirmed,
    state: 'unconfirmed',
    reason: UNCONFIRMED_REASON,
  });
}

function pictureOf(
  { namespace, service, revision, declared }: Omit<ServiceSnapshot, 'endpoints'>,
  endpoints: readonly Endpoint[],
  inner: Omit<Picture, 'snapshot'>,
): Picture {
  const frozen = Object.freeze(endpoints.map(freeze));
  const snapshot = Object.freeze({
    namespace,
    service,
    revision,
    declared: declared === null ? null : Object.freeze(declared),
    endpoints: frozen,
  });
  return { snapshot, ...inner };
}

function freeze(endpoint: Endpoint): Endpoint {
  if (Object.isFrozen(endpoint)) return endpoint;
  Object.freeze(endpoint.labels);
  return Object.freeze(endpoint);
}

function without(
  from: ReadonlyMap<string, number>,
  isGone: (id: string) => boolean,
): ReadonlyMap<string, number> {
  if (from.size === 0) return NOBODY;
  return new Map([...from].filter(([id]) => !isGone(id)));
}
