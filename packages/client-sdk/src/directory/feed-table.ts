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

/** How many services that went are remembered. */
const REMEMBERED = 1_000;

/** The revision of a service that was not shown yet: older than every real one. */
const NEVER = '0';

interface FeedTableEvents {
  change: (change: CatalogChange) => void;
}

/**
 * The pictures that a directory holds: of services that somebody reads and, while it is catalogued, of all that exist.
 */
export class FeedTable {
  /** Of services that exist, and of those that go. Only while it is catalogued. */
  readonly events: Emitter<FeedTableEvents>;
  readonly #options: ResolvedOptions;
  readonly #feeds = new Map<ServiceKey, ServiceFeed>();
  /** When services went: a server that is behind may still show them. The oldest is forgotten first. */
  readonly #gone = new Map<string, { readonly revision: string; readonly epoch: string }>();
  #read = 0;
  #isCatalogued = false;
  /** Of the store that the last proven picture came from. */
  #epoch = '';

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.events = new Emitter(options.runtime);
  }

  /** Services that somebody reads. */
  get read(): number {
    return this.#read;
  }

  get isCatalogued(): boolean {
    return this.#isCatalogued;
  }

  /** Whether every service is kept that is shown; those that nobody reads go when it ends. */
  set isCatalogued(isCatalogued: boolean) {
    this.#isCatalogued = isCatalogued;
    if (isCatalogued) return;
    for (const [key, feed] of this.#feeds) if (feed.users === 0) this.#drop(key);
    this.#gone.clear();
  }

  /** Of those that have a picture. */
  *shown(): Iterable<ServiceKey> {
    for (const [key, { picture }] of this.#feeds) if (picture !== undefined) yield key;
  }

  *services(): Iterable<ServiceRef> {
    for (const { service } of this.#feeds.values()) yield service;
  }

  /** Those that exist. */
  *snapshots(): Iterable<ServiceSnapshot> {
    for (const { snapshot } of this.#feeds.values()) {
      if (snapshot !== undefined && exists(snapshot)) yield snapshot;
    }
  }

  *feeds(): Iterable<ServiceFeed> {
    yield* this.#feeds.values();
  }

  of(service: ServiceRef): ServiceFeed | undefined {
    return this.#feeds.get(serviceKeyOf(service));
  }

  /** The feed of a service, one more reader of it; whether it is new. */
  acquire(service: ServiceRef): { readonly feed: ServiceFeed; readonly isNew: boolean } {
    const known = this.of(service);
    const feed = known ?? this.#add(service);
    if (feed.users++ === 0) this.#read++;
    return { feed, isNew: known === undefined };
  }

  /** One reader less; answers whether it was the last, and the feed is gone. */
  release(service: ServiceRef): boolean {
    const feed = this.of(service);
    if (feed === undefined || --feed.users > 0) return false;
    this.#read--;
    const isWanted = this.#isCatalogued && feed.snapshot !== undefined && exists(feed.snapshot);
    if (!isWanted) this.#drop(serviceKeyOf(service));
    return !isWanted;
  }

  /** A whole picture was seen: of these, what it did not show does not exist. `ageMs`: since when that is known. */
  showAbsent(feeds: Iterable<ServiceFeed>, ageMs: number): void {
    for (const feed of feeds) {
      if (feed.picture === undefined) feed.publish(this.#absent(feed.service, this.#epoch), ageMs);
    }
  }

  /** Answers whether the snapshot is as new as what is held. */
  onSnapshot(event: SnapshotEvent): boolean {
    const held = this.of(event)?.picture;
    if (this.of(event) === undefined) {
      if (!this.#isCatalogued || !exists(event)) return true;
      if (this.#wentAfter(serviceKeyOf(event), event.revision, event.epoch)) return false;
    }
    const nowMs = this.#options.runtime.monotonicMs();
    const graceMs = this.#options.unconfirmedGraceMs;
    const feed = this.of(event) ?? this.#add(event);
    feed.publish(withSnapshot(held, event, { nowMs, graceMs }));
    return held?.epoch !== event.epoch || !isNewer(held.snapshot.revision, event.revision);
  }

  onChange(event: ChangeEvent, epoch: string | undefined): void {
    const picture = this.of(event)?.picture;
    if (picture !== undefined && epoch !== undefined && epoch !== picture.epoch) return;
    if (picture === undefined) {
      if (!this.#isCatalogued || this.#wentAfter(serviceKeyOf(event), event.revision, epoch))
        return;
    }
    // What nobody has heard of was not there before.
    const before = picture ?? this.#absent(event, epoch ?? this.#epoch);
    if (!isNewer(event.revision, before.snapshot.revision)) return;
    const feed = this.of(event) ?? this.#add(event);
    feed.publish(withChange(before, event));
  }

  /** What a stream shows of these is proven, and of its store's epoch from now on. */
  prove(
    coverage: Coverage,
    { epoch, storeAgeMs }: BookmarkEvent,
    before: string | undefined,
  ): void {
    this.#epoch = epoch;
    for (const feed of this.#feeds.values()) {
      if (!coverage.has(feed.service)) continue;
      feed.adopt(before, epoch);
      feed.prove(storeAgeMs);
    }
  }

  /** The store has lost the past that the pictures are of. */
  disown(): void {
    for (const feed of this.#feeds.values()) feed.disown();
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
    if (!this.#isCatalogued) return;
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

  /** Whether a service went at a revision or later, in the same store. */
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

/** What has neither endpoints nor a declaration does not exist. */
export function exists({
  declared,
  endpoints,
}: Pick<ServiceSnapshot, 'declared' | 'endpoints'>): boolean {
  return declared !== null || endpoints.length > 0;
}
