import { isDeepStrictEqual } from 'node:util';
import { type Endpoint, serviceKeyOf } from '@rollcall/contract';
import type { ServiceChange } from '../picture/picture.ts';
import type { Clock, Timer } from '@rollcall/runtime';

/** How many changes of one endpoint are sent without delay, however quickly they follow each other. */
const BURST = 10;

/** After this many hold times, one more change may be sent without delay. */
const REFILL_HOLDS = 5;

/** A change that takes an endpoint out of use waits for this share of the hold time. */
const BAD_RATIO = 0.1;

/** What watchers last saw of an endpoint, and how many more changes may be sent without delay. */
interface LastSent {
  left: number;
  refilledAtMs: number;
  atMs: number;
  /** Undefined = the endpoint was removed. */
  endpoint: Endpoint | undefined;
}

/** The changes of a service that are held back: the latest state of each endpoint, undefined = removed. */
interface PendingChange {
  /** Revision of the first held change. A watcher that has seen everything before it misses only changes held here. */
  readonly fromRevision: number;
  readonly latest: Map<string, Endpoint | undefined>;
  change: ServiceChange;
  /** How many changes it holds. */
  count: number;
  dueMs: number;
}

/**
 * Keeps a flapping endpoint from flooding the watchers. A few changes are sent without delay; after that only the latest state,
 * at most once per hold time, or ten times sooner if it takes the endpoint out of use. Held changes of a service
 * go out with its next change that is not held, so the revisions of a service always increase. Other services do not wait.
 */
export class ChangeDamper {
  readonly #clock: Clock;
  readonly #holdMs: number;
  readonly #publish: (changes: readonly ServiceChange[]) => void;
  /** `namespace/service/endpoint` -> what watchers last saw. */
  readonly #lastSent = new Map<string, LastSent>();
  /** By `namespace/service`. */
  readonly #pending = new Map<string, PendingChange>();
  readonly #sweep: Timer;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  readonly totals = { coalesced: 0 };

  /** `publish` gets held changes when they are due. `holdMs` 0 = nothing is held back. */
  constructor(clock: Clock, holdMs: number, publish: (changes: readonly ServiceChange[]) => void) {
    this.#clock = clock;
    this.#holdMs = holdMs;
    this.#publish = publish;
    this.#sweep = clock.every(Math.max(1_000, holdMs * REFILL_HOLDS), () => this.#forget());
  }

  /** Number of services with held changes. */
  get size(): number {
    return this.#pending.size;
  }

  /** The last revision before all held changes; Infinity = nothing is pending. */
  get settledRevision(): number {
    let settled = Infinity;
    for (const { fromRevision } of this.#pending.values()) {
      settled = Math.min(settled, fromRevision - 1);
    }
    return settled;
  }

  /** Takes changes in the order of the log; returns those to publish now. */
  admit(changes: readonly ServiceChange[]): readonly ServiceChange[] {
    if (this.#holdMs === 0) return changes;
    const nowMs = this.#clock.monotonicMs();
    const due: ServiceChange[] = [];
    for (const change of changes) {
      if (this.#passes(change, nowMs)) due.push(this.#release(change, nowMs));
      else this.#hold(change, nowMs);
    }
    this.#arm();
    return due;
  }

  /** Removes and returns all held changes, due or not. The caller publishes them. */
  takeAll(): readonly ServiceChange[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#pending.values()].map((pending) => this.#end(pending, nowMs));
  }

  close(): void {
    this.#timer?.cancel();
    this.#sweep.cancel();
    this.#pending.clear();
  }

  /** Whether a change goes out now: it is not only about endpoints, or one of its endpoints may change. */
  #passes(change: ServiceChange, nowMs: number): boolean {
    if (change.declared !== undefined) return true;
    for (const [id, endpoint] of latestOf(change)) {
      const sent = this.#lastSentOf(change, id, nowMs);
      if (sent.left >= 1 || nowMs >= this.#dueMs(sent, endpoint)) return true;
    }
    return false;
  }

  /** The change, merged with what was held of its service. */
  #release(change: ServiceChange, nowMs: number): ServiceChange {
    const pending = this.#pending.get(keyOf(change));
    this.#pending.delete(keyOf(change));
    const latest = new Map([...(pending?.latest ?? []), ...latestOf(change)]);
    for (const [id, endpoint] of latest) this.#recordSent(change, id, { endpoint, nowMs });
    this.totals.coalesced += pending?.count ?? 0;
    const resumeAfter = Math.min(change.resumeAfter, this.settledRevision);
    return pending === undefined
      ? { ...change, resumeAfter }
      : { ...change, resumeAfter, first: pending.fromRevision, ...partsOf(latest) };
  }

  #hold(change: ServiceChange, nowMs: number): void {
    const key = keyOf(change);
    const known = this.#pending.get(key);
    const pending = known ?? {
      fromRevision: change.first ?? change.revision,
      latest: new Map<string, Endpoint | undefined>(),
      change,
      count: 0,
      dueMs: Infinity,
    };
    for (const [id, endpoint] of latestOf(change)) pending.latest.set(id, endpoint);
    pending.change = change;
    pending.count++;
    pending.dueMs = Infinity;
    for (const [id, endpoint] of pending.latest) {
      const dueMs = this.#dueMs(this.#lastSentOf(change, id, nowMs), endpoint);
      pending.dueMs = Math.min(pending.dueMs, dueMs);
    }
    this.#pending.set(key, pending);
  }

  /**
   * Removes and returns the held change of a service, even if it equals what was last sent: a watcher that joined meanwhile, with a
   * snapshot or from another server, has seen something else.
   */
  #end(
    { change, latest, count, fromRevision: first }: PendingChange,
    nowMs: number,
  ): ServiceChange {
    this.#pending.delete(keyOf(change));
    for (const [id, endpoint] of latest) this.#recordSent(change, id, { endpoint, nowMs });
    this.totals.coalesced += count - 1;
    const resumeAfter = Math.min(change.resumeAfter, this.settledRevision);
    return { ...change, resumeAfter, first, ...partsOf(latest) };
  }

  #arm(): void {
    let dueMs = Infinity;
    for (const pending of this.#pending.values()) dueMs = Math.min(dueMs, pending.dueMs);
    if (dueMs === this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    if (dueMs === Infinity) return;
    const afterMs = Math.max(0, dueMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.after(afterMs, () => this.#onDue());
  }

  #onDue(): void {
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.monotonicMs();
    const due: ServiceChange[] = [];
    for (const pending of [...this.#pending.values()].toSorted(byRevision)) {
      if (pending.dueMs <= nowMs) due.push(this.#end(pending, nowMs));
    }
    this.#arm();
    if (due.length > 0) this.#publish(due);
  }

  /** When a change to this state may go out, on the monotonic clock. */
  #dueMs(sent: LastSent, endpoint: Endpoint | undefined): number {
    const isBad = endpoint === undefined || !endpoint.ready || endpoint.tier !== 0;
    const isUrgent = isBad && !isKnown(sent, endpoint);
    return sent.atMs + this.#holdMs * (isUrgent ? BAD_RATIO : 1);
  }

  #lastSentOf(service: ServiceChange, id: string, nowMs: number): LastSent {
    const key = `${keyOf(service)}/${id}`;
    let sent = this.#lastSent.get(key);
    if (sent === undefined) {
      sent = { left: BURST, refilledAtMs: nowMs, atMs: -Infinity, endpoint: undefined };
      this.#lastSent.set(key, sent);
    } else this.#refill(sent, nowMs);
    return sent;
  }

  #recordSent(
    service: ServiceChange,
    id: string,
    { endpoint, nowMs }: { endpoint: Endpoint | undefined; nowMs: number },
  ): void {
    const sent = this.#lastSentOf(service, id, nowMs);
    sent.left = Math.max(0, sent.left - 1);
    sent.atMs = nowMs;
    sent.endpoint = endpoint;
  }

  #refill(sent: LastSent, nowMs: number): void {
    const come = (nowMs - sent.refilledAtMs) / (this.#holdMs * REFILL_HOLDS);
    sent.left = Math.min(BURST, sent.left + come);
    sent.refilledAtMs = nowMs;
  }

  /** Drops endpoints that have been quiet for a long time, as if never seen. */
  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, sent] of this.#lastSent) {
      this.#refill(sent, nowMs);
      if (sent.left >= BURST) this.#lastSent.delete(key);
    }
  }
}

/** Whether watchers last saw exactly this. */
function isKnown(sent: LastSent, endpoint: Endpoint | undefined): boolean {
  return sent.atMs !== -Infinity && isDeepStrictEqual(sent.endpoint, endpoint);
}

const keyOf = ({ namespace, service }: ServiceChange) => serviceKeyOf({ namespace, service });

const byRevision = (a: PendingChange, b: PendingChange) => a.change.revision - b.change.revision;

function latestOf({ upserts, removes }: ServiceChange): Map<string, Endpoint | undefined> {
  const latest = new Map<string, Endpoint | undefined>(removes.map((id) => [id, undefined]));
  for (const endpoint of upserts) latest.set(endpoint.id, endpoint);
  return latest;
}

function partsOf(latest: ReadonlyMap<string, Endpoint | undefined>) {
  const upserts = [...latest.values()].filter((endpoint) => endpoint !== undefined);
  const removes = [...latest].filter(([, endpoint]) => endpoint === undefined).map(([id]) => id);
  return { upserts, removes };
}
