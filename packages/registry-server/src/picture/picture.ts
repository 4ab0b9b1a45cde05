import { isDeepStrictEqual } from 'node:util';
import {
  type DeclaredService,
  type Endpoint,
  instanceKeyOf,
  parseServiceKey,
  serviceKeyOf,
  type ServiceKey,
  type ServiceRef,
} from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';
import type { LogEntry, StoreHead } from '../store/log-entry.ts';
import type { InstanceRecord } from '../store/record.ts';
import { nameKeyOf } from './declared/object-key.ts';
import { conditionsOf, type InstanceConditions } from './instances/endpoints.ts';
import { deriveMember, membersOf, type Member, MANUAL_ENDPOINTS } from './membership.ts';
import { RevisionWaiters } from './revision-waiters.ts';
import type { Effect, Roll } from './roll.ts';
import { runsOf } from './runs.ts';
import { mergedByService, type ServiceChange } from './service-change.ts';
import { type Touch, type Touched, touchOf } from './touched.ts';

export type { ServiceChange } from './service-change.ts';

/** The current state of a service, with endpoints in the order of their ids. */
export interface ServicePicture {
  readonly namespace: string;
  readonly service: string;
  /** Of its last observable change, or of the last time when the whole roll was read. */
  readonly revision: number;
  readonly declared: DeclaredService | null;
  readonly endpoints: readonly Endpoint[];
}

/** Member of a service -> its endpoints. */
type Endpoints = Map<Member, readonly Endpoint[]>;

interface Published {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  readonly declared: DeclaredService | null;
  readonly endpoints: Endpoints;
  /** Built on demand, dropped on change. */
  picture?: ServicePicture | undefined;
}

/**
 * The full picture that a server holds in memory. Reads and watches are answered only from it, so they go on while the
 * store is away. Only the follower writes to it.
 */
export class Picture {
  readonly #clock: Clock;
  readonly #onFault: (key: string, error: unknown) => void;
  readonly #published = new Map<ServiceKey, Published>();
  readonly #waiters: RevisionWaiters;
  /** Changes that are published here and not yet handed on. */
  readonly #unsent: ServiceChange[] = [];
  /** Services that could not be derived the last time: they show an older state. */
  readonly #failed = new Set<ServiceKey>();
  #roll: Roll | undefined;
  #provenAtMs = Number.NEGATIVE_INFINITY;
  /** Unreadable entries of the store, which the picture leaves out: `instance/FIELD` or a resource's key -> why. */
  unreadable: ReadonlyMap<string, string> = new Map();

  /** `onFault`: a service could not be derived. It keeps its old state, and the others go on. @default throws */
  constructor(
    clock: Clock,
    onFault = (_key: string, error: unknown): void => {
      throw error;
    },
  ) {
    this.#clock = clock;
    this.#waiters = new RevisionWaiters(clock);
    this.#onFault = onFault;
  }

  get isLoaded(): boolean {
    return this.#roll !== undefined;
  }

  get roll(): Roll | undefined {
    return this.#roll;
  }

  get revision(): number {
    return this.#roll?.revision ?? 0;
  }

  /** Digest of everything up to the revision. */
  get digest(): string {
    return this.#roll?.digest ?? '';
  }

  /** Its position in the log of the store. */
  get head(): StoreHead {
    const { epoch, revision, digest } = this;
    return { epoch, revision, digest };
  }

  get epoch(): string {
    return this.#roll?.epoch ?? '';
  }

  /** ms since the store last proved that nothing newer exists. */
  ageMs(): number {
    return Math.max(0, Math.round(this.#clock.monotonicMs() - this.#provenAtMs));
  }

  /** The store confirmed that the picture is up to date. */
  confirm(): void {
    this.#provenAtMs = this.#clock.monotonicMs();
  }

  service(namespace: string, service: string): ServicePicture | undefined {
    const published = this.#published.get(serviceKeyOf({ namespace, service }));
    if (published === undefined) return undefined;
    published.picture ??= Object.freeze({
      namespace,
      service,
      revision: published.revision,
      declared: published.declared,
      endpoints: Object.freeze(
        [...published.endpoints.values()].flat().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    });
    return published.picture;
  }

  /** The services of a namespace, or of all (`*`), that have instances or are declared, sorted. */
  servicesOf(namespace: string): ServiceRef[] {
    const prefix = namespace === '*' ? '' : `${namespace}/`;
    return [...new Set([...(this.#roll?.services.keys() ?? []), ...this.#published.keys()])]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .map(parseServiceKey);
  }

  instancesOf(namespace: string, service: string): ReadonlyMap<string, InstanceRecord> {
    return this.#roll?.services.get(serviceKeyOf({ namespace, service })) ?? new Map();
  }

  /** What the state of an instance means now, with its override applied. */
  conditionsOf(record: InstanceRecord): InstanceConditions {
    return conditionsOf(record, this.#roll?.override(instanceKeyOf(record)));
  }

  /** Every instance without a lease. */
  persistentInstances(): Iterable<InstanceRecord> {
    return this.#roll?.persistent.values() ?? [];
  }

  /**
   * Applies entries in order; returns one change for each service that an entry made a visible difference to, also when
   * later ones undid it.
   */
  apply(entries: readonly LogEntry[]): ServiceChange[] {
    const roll = this.#roll;
    if (roll === undefined) return [];
    // Kept until this returns: after a fault in the middle, the next read of the roll shows no difference to them.
    const changes = this.#unsent;
    for (const run of runsOf(entries)) {
      const touched: Touched = new Map();
      for (const entry of run) {
        const effect = roll.apply(entry, this.#clock.monotonicMs());
        this.#touch(touched, effect, roll, entry.revision);
      }
      changes.push(...this.#publish(touched));
    }
    return mergedByService(changes.splice(0));
  }

  /**
   * Takes over a new roll; returns the differences from the published state. Readers never see an empty set in between.
   */
  replace(roll: Roll): ServiceChange[] {
    if (this.#roll !== undefined) roll.remember(this.#roll);
    const { revision, declarations } = roll;
    // Until the last of the changes is sent, a stream has everything up to the picture before, and no more.
    const first = Math.min(this.revision + 1, revision);
    this.#roll = roll;
    const touched: Touched = new Map();
    for (const [key, { endpoints }] of this.#published) {
      const members = new Set(endpoints.keys());
      touched.set(key, { members, isWhole: false, revision, first });
    }
    for (const { namespace, name } of declarations.all('Service')) {
      const key = nameKeyOf({ namespace, name });
      touchOf(touched, key, first).members.add(MANUAL_ENDPOINTS);
    }
    for (const instances of roll.services.values()) {
      for (const record of instances.values()) {
        const effect = { kind: 'instance', ref: record, before: record, after: record } as const;
        this.#touch(touched, effect, roll, first);
      }
    }
    for (const touch of touched.values()) touch.revision = revision;
    const changes = mergedByService([...this.#unsent.splice(0), ...this.#publish(touched)]);
    // What happened meanwhile is not known. A client may have seen, from another server, a change that was undone
    // since: to it, a picture with an older revision would be an old one.
    for (const [key, known] of this.#published) {
      if (known.revision !== revision && !this.#failed.has(key)) {
        this.#published.set(key, { ...known, revision, picture: undefined });
      }
    }
    return changes;
  }

  /** Resolves with whether the picture reaches a revision within a time, in ms. */
  reached(revision: number, withinMs: number): Promise<boolean> {
    if (this.revision >= revision) return Promise.resolve(true);
    return this.#waiters.wait(revision, withinMs);
  }

  /** Records which services an entry may have changed. */
  #touch(touched: Touched, effect: Effect, roll: Roll, revision: number): void {
    if (effect.kind === 'services') {
      for (const { service, endpoints } of effect.touches) {
        const touch = touchOf(touched, service, revision);
        touch.isWhole ||= endpoints;
      }
      return;
    }
    const { ref, before, after } = effect;
    const instanceKey = instanceKeyOf(ref);
    const { namespace, service } = ref;
    const touch = (key: ServiceKey) => touchOf(touched, key, revision).members.add(instanceKey);
    const own = serviceKeyOf({ namespace, service });
    if (roll.declarations.service(own) === undefined) touch(own);
    if (before !== undefined) {
      for (const key of roll.declarations.selecting(namespace, before.body.labels)) touch(key);
    }
    if (after !== undefined && after.body.labels !== before?.body.labels) {
      for (const key of roll.declarations.selecting(namespace, after.body.labels)) touch(key);
    }
  }

  #publish(touched: Touched): ServiceChange[] {
    const roll = this.#roll;
    if (roll === undefined) return [];
    const whole = [...touched].filter(([, { isWhole }]) => isWhole).map(([key]) => key);
    const members = membersOf(roll, whole);
    const changes: ServiceChange[] = [];
    for (const [key, touch] of touched) {
      for (const member of members.get(key) ?? []) touch.members.add(member);
      try {
        const change = this.#publishService(roll, key, touch);
        if (change !== undefined) changes.push(change);
        this.#failed.delete(key);
      } catch (error) {
        this.#failed.add(key);
        this.#onFault(key, error);
      }
    }
    this.#waiters.reached(this.revision);
    return changes;
  }

  #publishService(roll: Roll, key: ServiceKey, touch: Touch): ServiceChange | undefined {
    const { namespace, service } = parseServiceKey(key);
    const known = this.#published.get(key);
    const before: Endpoints = known?.endpoints ?? new Map();
    const { members, isWhole, revision, first } = touch;
    const upserts: Endpoint[] = [];
    const removes: string[] = [];
    // An endpoint may move from one member to another: do not remove what was just added.
    const kept = new Set<string>();
    // Derive everything before any change, so that a fault leaves the service as it was.
    const declared = roll.declarations.profile(key);
    const all = isWhole ? new Set([...before.keys(), ...members]) : members;
    const derived = Array.from(all, (member) => [member, deriveMember(roll, key, member)] as const);
    for (const [member, has] of derived) {
      const had: readonly Endpoint[] = before.get(member) ?? [];
      for (const { id } of has) kept.add(id);
      if (isDeepStrictEqual(had, has)) continue;
      const byId = new Map(had.map((endpoint) => [endpoint.id, endpoint]));
      upserts.push(...has.filter((own) => !isDeepStrictEqual(own, byId.get(own.id))));
      removes.push(...byId.keys());
      if (has.length === 0) before.delete(member);
      else before.set(member, has);
    }
    const gone = removes.filter((id) => !kept.has(id));
    const wasDeclared = known?.declared ?? null;
    const isRedeclared = !isDeepStrictEqual(declared, wasDeclared);
    if (upserts.length === 0 && gone.length === 0 && !isRedeclared) return undefined;
    if (before.size === 0 && declared === null) this.#published.delete(key);
    else {
      const shown = isRedeclared ? declared : wasDeclared;
      const next = { namespace, service, revision, declared: shown, endpoints: before };
      this.#published.set(key, next);
    }
    const parts = { namespace, service, revision, resumeAfter: revision, upserts, removes: gone };
    const change = first === revision ? parts : { ...parts, first };
    return isRedeclared ? { ...change, declared } : change;
  }
}
