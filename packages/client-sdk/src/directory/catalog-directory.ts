import {
  type BookmarkEvent,
  type ChangeEvent,
  pathOf,
  ROUTES,
  type SnapshotEvent,
} from '@rollcall/contract';
import type { Catalog, CatalogChange } from '../catalog.ts';
import { Emitter } from '../emitter.ts';
import { RollcallError } from '../error.ts';
import type { ResolvedOptions } from '../options.ts';
import { withCause } from '@rollcall/runtime';
import type { RegistryApi } from '../registry/registry-api.ts';
import type { ServiceSnapshot } from '../service.ts';
import { LiveStream, type StreamPlan, type StreamSession } from '../stream/live-stream.ts';
import { isNewer, withChange, withSnapshot } from './picture.ts';
import { Trouble } from '../trouble.ts';
import { TROUBLE_MS } from './namespace-directory.ts';
import { ServiceFeed } from './service-feed.ts';
import {
  appendPosition,
  type Held,
  type Position,
  type WatchedService,
  type WatchListener,
  WatchSession,
} from './watch-session.ts';
import { createUnusableNote, type OnUnusable } from './watch-events.ts';

/** How many services that went are remembered. */
const REMEMBERED = 1_000;

const watchedName = (namespace: string) =>
  namespace === '*' ? 'all services' : `all services of namespace ${namespace}`;

interface CatalogEvents {
  change: (change: CatalogChange) => void;
  /** A first whole picture was seen, or none ever will be. */
  settled: (error: RollcallError | undefined) => void;
}

/** The live pictures of every service of a namespace, or of all, over one watch stream. */
export class CatalogDirectory implements Catalog, StreamPlan, WatchListener {
  readonly #namespace: string;
  readonly #options: ResolvedOptions;
  readonly #feeds = new Map<string, ServiceFeed>();
  /** When services went: a server that is behind may still show them. The oldest is forgotten first. */
  readonly #gone = new Map<string, { readonly revision: string; readonly epoch: string }>();
  readonly #events: Emitter<CatalogEvents>;
  readonly #stream: LiveStream;
  readonly onUnusable: OnUnusable;
  readonly #trouble: Trouble;
  readonly #onClosed: () => void;
  #resumeFrom: Position | undefined;
  /** Of the store that the last whole picture came from. */
  #epoch = '';
  #behind = 0;
  #provenAtMs = -Infinity;
  #refusal: RollcallError | undefined;
  #isClosed = false;

  constructor(
    client: RegistryApi,
    options: ResolvedOptions,
    given: { readonly namespace: string; readonly onClosed: () => void },
  ) {
    this.#namespace = given.namespace;
    this.#options = options;
    this.#events = new Emitter(options.runtime);
    this.#onClosed = given.onClosed;
    this.#trouble = new Trouble(options.runtime, `watching ${watchedName(given.namespace)}`);
    this.onUnusable = createUnusableNote(options.runtime);
    this.#stream = new LiveStream(client, options, this);
    queueMicrotask(() => this.#stream.refresh());
  }

  get isReady(): boolean {
    return this.#provenAtMs !== -Infinity;
  }

  async ready({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new RollcallError('closed', 'the catalog was closed');
    if (this.isReady) return;
    if (this.#refusal !== undefined) throw this.#refusal;
    await new Promise<void>((resolve, reject) => {
      const end = (error: unknown) => {
        off();
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = () => end(withCause(signal?.reason, this.#trouble.last));
      const off = this.#events.on('settled', end);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  service(namespace: string, name: string): ServiceSnapshot | undefined {
    return this.#feeds.get(`${namespace}/${name}`)?.snapshot;
  }

  *services(): Iterable<ServiceSnapshot> {
    for (const { snapshot } of this.#feeds.values()) if (snapshot !== undefined) yield snapshot;
  }

  ageMs(): number {
    return this.#options.runtime.monotonicMs() - this.#provenAtMs;
  }

  on(event: 'change', listener: (change: CatalogChange) => void): () => void {
    return this.#events.on(event, listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.close();
    this.#events.emit('settled', new RollcallError('closed', 'the catalog was closed'));
    for (const feed of this.#feeds.values()) feed.close();
    this.#events.clear();
    this.#onClosed();
  }

  begin(): StreamSession {
    const resume = this.#resumeFrom;
    const query = new URLSearchParams({ namespace: this.#namespace });
    if (resume !== undefined) appendPosition(query, resume);
    const services = () =>
      [...this.#feeds.keys()].map((key) => {
        const [namespace = '', service = ''] = key.split('/');
        return { namespace, service };
      });
    const scope = { services, isResuming: resume !== undefined };
    return new WatchSession(`${pathOf(ROUTES.watch)}?${query.toString()}`, scope, this);
  }

  onFailure(error: RollcallError): void {
    this.#trouble.note(error, TROUBLE_MS);
    if (error.code === 'replica_behind' && ++this.#behind >= this.#options.url.length) {
      this.onLost();
    }
    if (error.retryable || this.isReady) return;
    this.#refusal = error;
    this.#events.emit('settled', error);
  }

  heldOf({ namespace, service }: WatchedService): Held | undefined {
    return this.#feeds.get(`${namespace}/${service}`)?.held;
  }

  onLost(): void {
    this.#resumeFrom = undefined;
    for (const feed of this.#feeds.values()) feed.disown();
  }

  onSnapshot(event: SnapshotEvent): boolean {
    const key = `${event.namespace}/${event.service}`;
    const held = this.#feeds.get(key)?.picture;
    const exists = event.endpoints.length > 0 || event.declared !== null;
    if (held === undefined && !exists) return true;
    if (held === undefined && this.#wentAfter(key, event.revision, event.epoch)) return false;
    const nowMs = this.#options.runtime.monotonicMs();
    const graceMs = this.#options.unconfirmedGraceMs;
    this.#feedOf(key).publish(withSnapshot(held, event, { nowMs, graceMs }));
    return held?.epoch !== event.epoch || !isNewer(held.snapshot.revision, event.revision);
  }

  onChange(event: ChangeEvent, epoch: string | undefined): void {
    const key = `${event.namespace}/${event.service}`;
    const picture = this.#feeds.get(key)?.picture;
    if (picture !== undefined && epoch !== undefined && epoch !== picture.epoch) return;
    const { namespace, service, revision } = event;
    if (picture === undefined && this.#wentAfter(key, revision, epoch)) return;
    // What nobody has heard of was not there before.
    const before =
      picture ??
      withSnapshot(
        undefined,
        {
          namespace,
          service,
          revision: '0',
          epoch: epoch ?? this.#epoch,
          declared: null,
          endpoints: [],
        },
        { nowMs: 0, graceMs: 0 },
      );
    if (!isNewer(revision, before.snapshot.revision)) return;
    this.#feedOf(key).publish(withChange(before, event));
  }

  onSynced(event: BookmarkEvent, _session: WatchSession, before: string | undefined): void {
    for (const feed of this.#feeds.values()) feed.adopt(before, event.epoch);
    this.#resumeFrom = event;
    this.#epoch = event.epoch;
    this.#behind = 0;
    this.#refusal = undefined;
    this.#trouble.over();
    const wasReady = this.isReady;
    this.#provenAtMs = Math.max(
      this.#provenAtMs,
      this.#options.runtime.monotonicMs() - event.storeAgeMs,
    );
    if (!wasReady) this.#events.emit('settled', undefined);
  }

  #feedOf(key: string): ServiceFeed {
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    const feed = new ServiceFeed(this.#options);
    this.#feeds.set(key, feed);
    this.#gone.delete(key);
    feed.events.on('change', (snapshot) => this.#onPicture(key, snapshot));
    return feed;
  }

  #onPicture(key: string, snapshot: ServiceSnapshot): void {
    const { namespace, service, declared, endpoints } = snapshot;
    const exists = declared !== null || endpoints.length > 0;
    if (!exists) this.#drop(key, snapshot.revision);
    this.#events.emit('change', { namespace, service, snapshot: exists ? snapshot : undefined });
  }

  #drop(key: string, revision: string): void {
    const feed = this.#feeds.get(key);
    feed?.close();
    this.#feeds.delete(key);
    this.#gone.set(key, { revision, epoch: feed?.picture?.epoch ?? '' });
    if (this.#gone.size <= REMEMBERED) return;
    for (const oldest of this.#gone.keys()) {
      this.#gone.delete(oldest);
      break;
    }
  }

  /** Whether a service went at a revision or later, in the same store. */
  #wentAfter(key: string, revision: string, epoch: string | undefined): boolean {
    const gone = this.#gone.get(key);
    if (gone === undefined || (epoch !== undefined && epoch !== gone.epoch)) return false;
    return !isNewer(revision, gone.revision);
  }
}
