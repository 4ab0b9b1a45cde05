import { isDeepStrictEqual } from 'node:util';
import type { Endpoint } from '@rollcall/contract';
import type { Clock } from '../runtime/clock.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { fieldOf, type InstanceRecord } from '../store/record.ts';
import { deriveEndpoints } from './endpoints.ts';
import type { Roll } from './roll.ts';

/** What changed of one service. Never empty. */
export interface ServiceChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  readonly upserts: readonly Endpoint[];
  readonly removes: readonly string[];
}

/** A service as it stands: endpoints in the order of their ids. */
export interface ServicePicture {
  readonly namespace: string;
  readonly service: string;
  /** Of its last observable change. */
  readonly revision: number;
  readonly endpoints: readonly Endpoint[];
}

/** Instance id -> its endpoints. */
type Endpoints = Map<string, readonly Endpoint[]>;

interface Published {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  readonly endpoints: Endpoints;
  /** Made when asked for, dropped on change. */
  picture?: ServicePicture | undefined;
}

/** `namespace/service` -> which instances to look at, and the revision that a difference gets. */
type Touched = Map<string, { readonly ids: Set<string>; readonly revision: number }>;

interface Waiting {
  readonly revision: number;
  done(isReached: boolean): void;
}

/**
 * The full picture that a server holds in memory. Reads and watches are answered from it alone, so they go on when
 * the store is away. Only the follower writes to it.
 */
export class Picture {
  readonly #clock: Clock;
  readonly #published = new Map<string, Published>();
  readonly #waiting = new Set<Waiting>();
  #roll: Roll | undefined;
  #provenAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
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

  get epoch(): string {
    return this.#roll?.epoch ?? '';
  }

  /** ms since the store last proved that nothing newer exists. */
  ageMs(): number {
    return Math.max(0, Math.round(this.#clock.monotonicMs() - this.#provenAtMs));
  }

  /** The store says that the picture is its newest. */
  prove(): void {
    this.#provenAtMs = this.#clock.monotonicMs();
  }

  service(namespace: string, service: string): ServicePicture | undefined {
    const published = this.#published.get(`${namespace}/${service}`);
    if (published === undefined) return undefined;
    published.picture ??= Object.freeze({
      namespace,
      service,
      revision: published.revision,
      endpoints: Object.freeze(
        [...published.endpoints.values()].flat().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    });
    return published.picture;
  }

  /** Names of the services of a namespace that have instances, in order. */
  servicesOf(namespace: string): string[] {
    const prefix = `${namespace}/`;
    return [...(this.#roll?.services.keys() ?? [])]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .toSorted();
  }

  instancesOf(namespace: string, service: string): ReadonlyMap<string, InstanceRecord> {
    return this.#roll?.services.get(`${namespace}/${service}`) ?? new Map();
  }

  /** Every instance that holds no lease. */
  persistentInstances(): Iterable<InstanceRecord> {
    return this.#roll?.persistent.values() ?? [];
  }

  /** Takes entries in order; gives one change for each service that looks different now. */
  apply(entries: readonly LogEntry[]): ServiceChange[] {
    const roll = this.#roll;
    if (roll === undefined) return [];
    const touched: Touched = new Map();
    for (const entry of entries) {
      const ref = roll.apply(entry, this.#clock.monotonicMs());
      if (ref === undefined) continue;
      const key = `${ref.namespace}/${ref.service}`;
      const ids = touched.get(key)?.ids ?? new Set();
      // The service's own last entry, not the batch's: no two changes share a revision, so a stream can resume
      // between them.
      touched.set(key, { ids: ids.add(ref.id), revision: entry.revision });
    }
    return this.#publish(touched).toSorted((a, b) => a.revision - b.revision);
  }

  /** Takes a roll read anew; gives the differences from what was published, never an empty set in between. */
  replace(roll: Roll): ServiceChange[] {
    if (this.#roll !== undefined) roll.remember(this.#roll);
    this.#roll = roll;
    const { revision } = roll;
    const touched: Touched = new Map();
    for (const [key, { endpoints }] of this.#published) {
      touched.set(key, { ids: new Set(endpoints.keys()), revision });
    }
    for (const [key, instances] of roll.services) {
      const ids = new Set([...(touched.get(key)?.ids ?? []), ...instances.keys()]);
      touched.set(key, { ids, revision });
    }
    return this.#publish(touched);
  }

  /** Whether the picture reaches a revision within a time, in ms. */
  reached(revision: number, withinMs: number): Promise<boolean> {
    if (this.revision >= revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        revision,
        done: (isReached) => {
          timer.cancel();
          this.#waiting.delete(waiting);
          resolve(isReached);
        },
      };
      const timer = this.#clock.after(withinMs, () => waiting.done(false));
      this.#waiting.add(waiting);
    });
  }

  #publish(touched: Touched): ServiceChange[] {
    const changes: ServiceChange[] = [];
    for (const [key, { ids, revision }] of touched) {
      const change = this.#publishService(key, ids, revision);
      if (change !== undefined) changes.push(change);
    }
    for (const waiting of this.#waiting) {
      if (waiting.revision <= this.revision) waiting.done(true);
    }
    return changes;
  }

  #publishService(
    key: string,
    ids: ReadonlySet<string>,
    revision: number,
  ): ServiceChange | undefined {
    const [namespace = '', service = ''] = key.split('/');
    const known = this.#published.get(key) ?? {
      namespace,
      service,
      revision: 0,
      endpoints: new Map(),
    };
    const roll = this.#roll?.services.get(key);
    const upserts: Endpoint[] = [];
    const removes: string[] = [];
    for (const id of ids) {
      const record = roll?.get(id);
      const before: readonly Endpoint[] = known.endpoints.get(id) ?? [];
      const after = record === undefined ? [] : this.#derive(record);
      if (isDeepStrictEqual(before, after)) continue;
      upserts.push(...after.filter((own, i) => !isDeepStrictEqual(own, before[i])));
      removes.push(
        ...before.map((own) => own.id).filter((own) => !after.some((a) => a.id === own)),
      );
      if (record === undefined) known.endpoints.delete(id);
      else known.endpoints.set(id, after);
    }
    if (upserts.length === 0 && removes.length === 0) return undefined;
    if (known.endpoints.size === 0) this.#published.delete(key);
    else this.#published.set(key, { ...known, revision, picture: undefined });
    return { namespace, service, revision, upserts, removes };
  }

  #derive(record: InstanceRecord): readonly Endpoint[] {
    return deriveEndpoints(record, this.#roll?.override(fieldOf(record)));
  }
}
