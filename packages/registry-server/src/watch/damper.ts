import { isDeepStrictEqual } from 'node:util';
import { type Endpoint, serviceKeyOf } from '@rollcall/contract';
import type { ServiceChange } from '../picture/picture.ts';
import type { Clock, Timer } from '@rollcall/runtime';

/** Changes of one endpoint that go out at once, however close together. */
const BURST = 10;

/** A change of the burst comes back after so many holding times. */
const REFILL_HOLDS = 5;

/** Bad news of an endpoint wait for this share of the time that good news do. */
const BAD_RATIO = 0.1;

/** What watchers were last told of an endpoint, and how much it may still change at once. */
interface Told {
  left: number;
  refilledAtMs: number;
  atMs: number;
  /** Undefined = that it is gone. */
  endpoint: Endpoint | undefined;
}

/** What watchers of a service are not told yet: the latest of each endpoint, undefined = gone. */
interface Held {
  /** Of the first change that it holds: who has seen everything before lacks nothing but this. */
  readonly fromRevision: number;
  readonly latest: Map<string, Endpoint | undefined>;
  change: ServiceChange;
  /** How many changes are in it. */
  count: number;
  dueMs: number;
}

/**
 * Keeps an endpoint that flaps from flooding the watchers: a few changes go out at once, then the latest state wins, at
 * most one in a holding time, one that takes it out of use ten times sooner. What is held of a service goes along
 * with the next change of it that is not held, so the revisions of a service always increase; nobody else waits.
 */
export class ChangeDamper {
  readonly #clock: Clock;
  readonly #holdMs: number;
  readonly #publish: (changes: readonly ServiceChange[]) => void;
  /** `namespace/service/endpoint` -> what watchers were told. */
  readonly #told = new Map<string, Told>();
  /** By `namespace/service`. */
  readonly #held = new Map<string, Held>();
  readonly #sweep: Timer;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  readonly totals = { coalesced: 0 };

  /** `publish` takes what was held, when it is due. `holdMs` 0 = nothing is held. */
  constructor(clock: Clock, holdMs: number, publish: (changes: readonly ServiceChange[]) => void) {
    this.#clock = clock;
    this.#holdMs = holdMs;
    this.#publish = publish;
    this.#sweep = clock.every(Math.max(1_000, holdMs * REFILL_HOLDS), () => this.#forget());
  }

  /** Services of which something is held. */
  get size(): number {
    return this.#held.size;
  }

  /** The last revision up to which nothing is held; Infinity = nothing is. */
  get settledRevision(): number {
    let settled = Infinity;
    for (const { fromRevision } of this.#held.values()) {
      settled = Math.min(settled, fromRevision - 1);
    }
    return settled;
  }

  /** Takes changes in the order of the log; gives those to be published now. */
  take(changes: readonly ServiceChange[]): readonly ServiceChange[] {
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

  /** Gives all that is held, due or not. */
  takeAll(): readonly ServiceChange[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#held.values()].map((held) => this.#end(held, nowMs));
  }

  close(): void {
    this.#timer?.cancel();
    this.#sweep.cancel();
    this.#held.clear();
  }

  /** Whether it goes out now: it is about more than endpoints, or one of them may change. */
  #passes(change: ServiceChange, nowMs: number): boolean {
    if (change.declared !== undefined) return true;
    for (const [id, endpoint] of latestOf(change)) {
      const told = this.#toldOf(change, id, nowMs);
      if (told.left >= 1 || nowMs >= this.#dueMs(told, endpoint)) return true;
    }
    return false;
  }

  /** The change with what was held of its service. */
  #release(change: ServiceChange, nowMs: number): ServiceChange {
    const held = this.#held.get(keyOf(change));
    this.#held.delete(keyOf(change));
    const latest = new Map([...(held?.latest ?? []), ...latestOf(change)]);
    for (const [id, endpoint] of latest) this.#tell(change, id, { endpoint, nowMs });
    this.totals.coalesced += held?.count ?? 0;
    const resumeAfter = Math.min(change.resumeAfter, this.settledRevision);
    return held === undefined
      ? { ...change, resumeAfter }
      : { ...change, resumeAfter, first: held.fromRevision, ...partsOf(latest) };
  }

  #hold(change: ServiceChange, nowMs: number): void {
    const key = keyOf(change);
    const known = this.#held.get(key);
    const held = known ?? {
      fromRevision: change.revision,
      latest: new Map<string, Endpoint | undefined>(),
      change,
      count: 0,
      dueMs: Infinity,
    };
    for (const [id, endpoint] of latestOf(change)) held.latest.set(id, endpoint);
    held.change = change;
    held.count++;
    held.dueMs = Infinity;
    for (const [id, endpoint] of held.latest) {
      const dueMs = this.#dueMs(this.#toldOf(change, id, nowMs), endpoint);
      held.dueMs = Math.min(held.dueMs, dueMs);
    }
    this.#held.set(key, held);
  }

  /**
   * Ends holding a service; gives its change. Even when that says what the watchers were told last: whoever came in
   * between, with a snapshot or from another server, knows it otherwise.
   */
  #end({ change, latest, count, fromRevision: first }: Held, nowMs: number): ServiceChange {
    this.#held.delete(keyOf(change));
    for (const [id, endpoint] of latest) this.#tell(change, id, { endpoint, nowMs });
    this.totals.coalesced += count - 1;
    const resumeAfter = Math.min(change.resumeAfter, this.settledRevision);
    return { ...change, resumeAfter, first, ...partsOf(latest) };
  }

  #arm(): void {
    let dueMs = Infinity;
    for (const held of this.#held.values()) dueMs = Math.min(dueMs, held.dueMs);
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
    for (const held of [...this.#held.values()].toSorted(byRevision)) {
      if (held.dueMs <= nowMs) due.push(this.#end(held, nowMs));
    }
    this.#arm();
    if (due.length > 0) this.#publish(due);
  }

  /** When a change to this state may go out. */
  #dueMs(told: Told, endpoint: Endpoint | undefined): number {
    const isBad = endpoint === undefined || !endpoint.ready || endpoint.tier !== 0;
    const isUrgent = isBad && !isKnown(told, endpoint);
    return told.atMs + this.#holdMs * (isUrgent ? BAD_RATIO : 1);
  }

  #toldOf(service: ServiceChange, id: string, nowMs: number): Told {
    const key = `${keyOf(service)}/${id}`;
    let told = this.#told.get(key);
    if (told === undefined) {
      told = { left: BURST, refilledAtMs: nowMs, atMs: -Infinity, endpoint: undefined };
      this.#told.set(key, told);
    } else this.#refill(told, nowMs);
    return told;
  }

  #tell(
    service: ServiceChange,
    id: string,
    { endpoint, nowMs }: { endpoint: Endpoint | undefined; nowMs: number },
  ): void {
    const told = this.#toldOf(service, id, nowMs);
    told.left = Math.max(0, told.left - 1);
    told.atMs = nowMs;
    told.endpoint = endpoint;
  }

  #refill(told: Told, nowMs: number): void {
    const come = (nowMs - told.refilledAtMs) / (this.#holdMs * REFILL_HOLDS);
    told.left = Math.min(BURST, told.left + come);
    told.refilledAtMs = nowMs;
  }

  /** Those that have been quiet for long are as if never seen. */
  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, told] of this.#told) {
      this.#refill(told, nowMs);
      if (told.left >= BURST) this.#told.delete(key);
    }
  }
}

/** Whether watchers were told just this. */
function isKnown(told: Told, endpoint: Endpoint | undefined): boolean {
  return told.atMs !== -Infinity && isDeepStrictEqual(told.endpoint, endpoint);
}

const keyOf = ({ namespace, service }: ServiceChange) => serviceKeyOf({ namespace, service });

const byRevision = (a: Held, b: Held) => a.change.revision - b.change.revision;

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
