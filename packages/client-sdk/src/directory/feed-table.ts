import {
  type BookmarkEvent,
  type ChangeEvent,
  type SnapshotEvent,
  serviceKeyOf,
  type ServiceRef,
  type ServiceKey,
} from '@rollcall/contract';
import type { CatalogChange } from '../api/catalog.ts';
import { Emitter } from '../base/emitter.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { ServiceSnapshot } from '../api/service.ts';
import type { Coverage } from './coverage.ts';
import { isNewer, withChange, withSnapshot } from './picture.ts';
import { ServiceFeed } from './service-feed.ts';

/** How many removed services are remembered. */
const REMEMBERED = 1_000;

/** The revision of a service that has not been shown yet: older than every real revision. */
const NEVER = '0';

interface FeedTableEvents {
  change: (change: CatalogChange) => void;
}

/**
 * The pictures that a directory holds: of services with a reader and, while there is a catalog, of all existing
 * services.
 */
export class FeedTable {
  /** Changes of existing services and of services that cease to exist. Only while there is a catalog. */
  readonly events: Emitter<FeedTableEvents>;
  readonly #options: ResolvedOptions;
  readonly #feeds = new Map<ServiceKey, ServiceFeed>();
  /**
   * At which revision services were removed: a server that lags may still show them. The oldest entry is forgotten
   * first.
   */
  readonly #gone = new Map<string, { readonly revision: string; readonly epoch: string }>();
  #readServices = 0;
  #isCataloged = false;
  /** Epoch of the store that the last confirmed picture came from. */
  #epoch = '';

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.events = new Emitter(options.runtime);
  }

  /** Number of services with a reader. */
  get readServices(): number {
    return this.#readServices;
  }

  get isCataloged(): boolean {
    return this.#isCataloged;
  }

  /** Whether to keep every service that is shown. Switching it off drops those without a reader. */
  set isCataloged(isCataloged: boolean) {
    this.#isCataloged = isCataloged;
    if (isCataloged) return;
    for (const [key, feed] of this.#feeds) if (feed.users === 0) this.#drop(key);
    this.#gone.clear();
  }

  /** Keys of the services that have a picture. */
  *shown(): Iterable<ServiceKey> {
    for (const [key, { picture }] of this.#feeds) if (picture !== undefined) yield key;
  }

  *services(): Iterable<ServiceRef> {
    for (const { service } of this.#feeds.values()) yield service;
  }

  /** Snapshots of the services that exist. */
  *snapshots(): Iterable<ServiceSnapshot> {
    for (const { snapshot } of this.#feeds.values()) {
      if (snapshot !== undefined && exists(snapshot)) yield snapshot;
    }
  }

  *feeds(): Iterable<ServiceFeed> {
    yield* this.#feeds.values();
  }

  get(service: ServiceRef): ServiceFeed | undefined {
    return this.#feeds.get(serviceKeyOf(service));
  }

  /** Adds a reader to the feed of a service and creates the feed if it is new. */
  acquire(service: ServiceRef): { readonly feed: ServiceFeed; readonly isNew: boolean } {
    const known = this.get(service);
    const feed = known ?? this.#add(service);
    if (feed.users++ === 0) this.#readServices++;
    return { feed, isNew: known === undefined };
  }

  /** Removes a reader; returns whether it was the last and the feed was dropped. */
  release(service: ServiceRef): boolean {
    const feed = this.get(service);
    if (feed === undefined || --feed.users > 0) return false;
    this.#readServices--;
    const isWanted = this.#isCataloged && feed.snapshot !== undefined && exists(feed.snapshot);
    if (!isWanted) this.#drop(serviceKeyOf(service));
    return !isWanted;
  }

  /**
   * After a complete picture: publishes each of these feeds that it did not contain as absent. `ageMs`: how long this
   * has been known.
   */
  showAbsent(feeds: Iterable<ServiceFeed>, ageMs: number): void {
    for (const feed of feeds) {
      if (feed.picture === undefined) feed.publish(this.#absent(feed.service, this.#epoch), ageMs);
    }
  }

  /** Returns whether the snapshot is at least as new as the picture held. */
  onSnapshot(event: SnapshotEvent): boolean {
    const held = this.get(event)?.picture;
    if (this.get(event) === undefined) {
      if (!this.#isCataloged || !exists(event)) return true;
      if (this.#wentAfter(serviceKeyOf(event), event.revision, event.epoch)) return false;
    }
    const nowMs = this.#options.runtime.monotonicMs();
    const graceMs = this.#options.unconfirmedGraceMs;
    const feed = this.get(event) ?? this.#add(event);
    feed.publish(withSnapshot(held, event, { nowMs, graceMs }));
    return held?.epoch !== event.epoch || !isNewer(held.snapshot.revision, event.revision);
  }

  onChange(event: ChangeEvent, epoch: string | undefined): void {
    const picture = this.get(event)?.picture;
    if (picture !== undefined && epoch !== undefined && epoch !== picture.epoch) return;
    if (picture === undefined) {
      if (!this.#isCataloged || this.#wentAfter(serviceKeyOf(event), event.revision, epoch)) return;
    }
    // A service that was never shown did not exist before.
    const before = picture ?? this.#absent(event, epoch ?? this.#epoch);
    if (!isNewer(event.revision, before.snapshot.revision)) return;
    const feed = this.get(event) ?? this.#add(event);
    feed.publish(withChange(before, event));
  }

  /** Confirms the pictures of the covered services, and assigns them to this epoch of the store. */
  confirm(
    coverage: Coverage,
    { epoch, storeAgeMs }: BookmarkEvent,
    previousEpoch: string | undefined,
  ): void {
    this.#epoch = epoch;
    for (const feed of this.#feeds.values()) {
      if (!coverage.has(feed.service)) continue;
      feed.rebase(previousEpoch, epoch);
      feed.confirm(storeAgeMs);
    }
  }

  /** The store has lost the history that the pictures belong to. */
  invalidate(): void {
    for (const feed of this.#feeds.values()) feed.invalidate();
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.events.clear();
  }

  #add(service: ServiceRef): ServiceFeed {
    const key = serviceKeyOf(service);
    const feed = new ServiceFeed(this.#options, service);
    this.#feeds.set(key, feed);
    this.#gone.delete(key);
    feed.events.on('change', (snapshot) => this.#onPicture(key, snapshot));
    return feed;
  }

  #onPicture(key: ServiceKey, snapshot: ServiceSnapshot): void {
    if (!this.#isCataloged) return;
    const { namespace, service } = snapshot;
    const isThere = exists(snapshot);
    if (!isThere) this.#noteGone(key, snapshot.revision);
    if (!isThere && this.#feeds.get(key)?.users === 0) this.#drop(key);
    this.events.emit('change', { namespace, service, snapshot: isThere ? snapshot : undefined });
  }

  #drop(key: ServiceKey): void {
    this.#feeds.get(key)?.close();
    this.#feeds.delete(key);
  }

  #noteGone(key: ServiceKey, revision: string): void {
    this.#gone.delete(key);
    this.#gone.set(key, { revision, epoch: this.#feeds.get(key)?.picture?.epoch ?? '' });
    if (this.#gone.size <= REMEMBERED) return;
    for (const oldest of this.#gone.keys()) {
      this.#gone.delete(oldest);
      break;
    }
  }

  /** Whether a service was removed at this revision or later, in the same store. */
  #wentAfter(key: ServiceKey, revision: string, epoch: string | undefined): boolean {
    const gone = this.#gone.get(key);
    if (gone === undefined || (epoch !== undefined && epoch !== gone.epoch)) return false;
    return !isNewer(revision, gone.revision);
  }

  #absent({ namespace, service }: ServiceRef, epoch: string) {
    const nothing = { namespace, service, revision: NEVER, epoch, declared: null, endpoints: [] };
    return withSnapshot(undefined, nothing, { nowMs: 0, graceMs: 0 });
  }
}

/** A service with neither endpoints nor a declaration does not exist. */
export function exists({
  declared,
  endpoints,
}: Pick<ServiceSnapshot, 'declared' | 'endpoints'>): boolean {
  return declared !== null || endpoints.length > 0;
}
