import {
  type BookmarkEvent,
  type ChangeEvent,
  pathOf,
  ROUTES,
  type SnapshotEvent,
  serviceKeyOf,
  type ServiceRef,
} from '@rollcall/contract';
import type { Catalog } from '../api/catalog.ts';
import type { RollcallError } from '../base/error.ts';
import { guarded } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { LiveStream, type StreamPlan } from '../stream/live-stream.ts';
import { Trouble } from '../base/trouble.ts';
import { Acknowledger } from './acknowledger.ts';
import { type CatalogSource, CatalogView } from './catalog-view.ts';
import { Coverage } from './coverage.ts';
import { Extender, type ExtenderListener } from './extender.ts';
import { FeedTable } from './feed-table.ts';
import type { ServiceFeed } from './service-feed.ts';
import { createUnusableNote, type OnUnusable } from './watch-events.ts';
import {
  appendPosition,
  type Held,
  type Position,
  type WatchListener,
  WatchSession,
} from './watch-session.ts';

/**
 * Longest list of names in a watch URL, in bytes: proxies allow URLs of 8 KiB. The other names are added once the
 * stream is open.
 */
const MAX_NAMES_BYTES = 5_000;

/** A watch that is down for less than this, in ms, causes no warning: servers are restarted now and then. */
const TROUBLE_MS = 1_000;

/** Where a broken watch can resume: all changes of the covered services up to there are known. */
interface Resume extends Position {
  readonly coverage: Coverage;
}

/**
 * Holds live pictures of the services of one namespace (`*` = all namespaces): only of those with a reader, or of all
 * while a catalog is open. Uses one watch stream, to which services can be added later.
 */
export class Directory
  implements StreamPlan<WatchSession>, WatchListener, CatalogSource, ExtenderListener
{
  readonly table: FeedTable;
  readonly onUnusable: OnUnusable;
  readonly #namespace: string;
  readonly #options: ResolvedOptions;
  readonly #stream: LiveStream<WatchSession>;
  readonly #extender: Extender;
  readonly #acknowledger: Acknowledger;
  readonly #catalogs = new Set<CatalogView>();
  readonly #trouble: Trouble;
  #resume: Resume | undefined;
  #wholeProvenAtMs = -Infinity;
  #behind = 0;
  #isAdjustDue = false;
  /**
   * Whether services can be added to an open stream. False if the server cannot do it, or does not know the stream: a
   * load balancer may have sent the request to another server.
   */
  #extends = true;
  /** Older servers do not know it. */
  #acknowledges = true;

  constructor(client: RegistryApi, options: ResolvedOptions, namespace: string) {
    this.#namespace = namespace;
    this.#options = options;
    this.table = new FeedTable(options);
    const what = namespace === '*' ? 'all services' : `namespace ${namespace}`;
    this.#trouble = new Trouble(options.runtime, `watching ${what}`);
    this.onUnusable = createUnusableNote(options.runtime);
    this.#stream = new LiveStream(client, options, this);
    this.#acknowledger = new Acknowledger(client, options);
    this.#extender = new Extender(client, options, { namespace, listener: this });
  }

  get keepsAlive(): boolean {
    return this.#options.keepAlive;
  }

  get failure(): RollcallError | undefined {
    return this.#trouble.last;
  }

  /** Time since the picture of all services was last known to be complete, in ms; Infinity = never. */
  get wholeAgeMs(): number {
    return this.#options.runtime.monotonicMs() - this.#wholeProvenAtMs;
  }

  get isUsed(): boolean {
    return this.table.readServices > 0 || this.#catalogs.size > 0;
  }

  /** The feed of a service, watched from now on. Each caller must return it with {@link release}. */
  acquire(service: ServiceRef): ServiceFeed {
    const { feed, isNew } = this.table.acquire(service);
    if (!isNew) return feed;
    // The server may still send changes of this service for an earlier reader. The new reader has no picture to apply
    // them to, so the service must be shown again.
    for (const session of this.#stream.sessions) session.forget(service);
    this.#resume?.coverage.forget(serviceKeyOf(service));
    // While the stream is down, the client cannot know whether the service exists.
    const isUp = this.#stream.sessions.length > 0;
    if (isUp && this.wholeAgeMs !== Infinity) this.table.showAbsent([feed], this.wholeAgeMs);
    this.#adjustSoon();
    return feed;
  }

  /**
   * Stops watching a service after its last reader left. The stream stays unchanged while other services are watched.
   */
  release(service: ServiceRef): void {
    if (!this.table.release(service)) return;
    for (const session of this.#stream.sessions) session.forget(service);
    if (!this.isUsed) this.#adjustSoon();
  }

  /** All services, until the catalog is closed. `onClosed` is called after it was closed and removed here. */
  catalog(onClosed: () => void): Catalog {
    const view = new CatalogView(this, this.#options.runtime, () => {
      this.#catalogs.delete(view);
      if (this.#catalogs.size === 0) this.#endCatalog();
      onClosed();
    });
    this.#catalogs.add(view);
    if (!this.table.isCataloged) this.#beginCatalog();
    this.#adjustSoon();
    return view;
  }

  close(): void {
    this.#extender.close();
    this.#stream.close();
    for (const view of this.#catalogs) view.close();
    this.table.close();
  }

  createSession(url: string): WatchSession | undefined {
    if (!this.isUsed) return undefined;
    const named = this.#isWholeWanted ? undefined : this.#firstNames();
    const coverage = new Coverage(named?.map(serviceKeyOf));
    const resume = this.#canResume(coverage) ? this.#resume : undefined;
    const query = new URLSearchParams({ namespace: this.#namespace });
    if (this.#acknowledges) query.append('acks', '1');
    for (const { service } of named ?? []) query.append('service', service);
    if (resume !== undefined) appendPosition(query, resume);
    const path = `${pathOf(ROUTES.watch)}?${query.toString()}`;
    return new WatchSession({ url, path, coverage, isResuming: resume !== undefined }, this);
  }

  onFailure(error: RollcallError): void {
    this.#trouble.note(error, TROUBLE_MS);
    this.#extends = true;
    if (error.code === 'invalid_request' && error.field === 'acks') {
      this.#acknowledges = false;
      return;
    }
    if (error.code === 'replica_behind' && ++this.#behind >= this.#options.url.length) {
      this.onLost();
    }
    if (!error.retryable) this.onRefused(undefined, error);
  }

  services(): Iterable<ServiceRef> {
    return this.table.services();
  }

  heldOf(service: ServiceRef): Held | undefined {
    return this.table.get(service)?.held;
  }

  onLost(): void {
    this.#resume = undefined;
    this.table.invalidate();
  }

  onSnapshot(event: SnapshotEvent): boolean {
    return this.table.onSnapshot(event);
  }

  onChange(event: ChangeEvent, epoch: string | undefined): void {
    this.table.onChange(event, epoch);
  }

  onSynced(event: BookmarkEvent, { coverage }: WatchSession, before: string | undefined): void {
    // What the stream showed of services without a reader was not kept.
    if (coverage.isWhole && !this.#isWholeWanted) coverage.narrow(this.table.shown());
    this.table.confirm(coverage, event, before);
    this.#resume = { revision: event.revision, digest: event.digest, coverage: coverage.copy() };
    this.#behind = 0;
    this.#trouble.over();
    if (coverage.isWhole) this.#proveWhole(event.storeAgeMs);
    // After a refusal, the extender decides when to ask again.
    if (!this.#extender.isPausing) this.#adjustSoon();
  }

  onDraining({ url, stream }: WatchSession, revision: string): void {
    if (stream !== undefined) this.#acknowledger.applied(url, stream, revision);
  }

  onDue(): void {
    // A stream that is down reopens on its own schedule and asks then.
    if (this.#stream.sessions.length > 0) this.#adjustSoon();
  }

  onFailing(error: RollcallError): void {
    this.#trouble.note(error, TROUBLE_MS);
  }

  onUnknown(session: WatchSession): void {
    if (!this.#stream.sessions.includes(session)) return;
    this.#extends = false;
    this.#stream.reconcile();
  }

  onRefused(services: readonly string[] | undefined, error: RollcallError): void {
    const refused = services && new Set(services);
    for (const { service, events } of this.table.feeds()) {
      if (refused === undefined || refused.has(service.service)) events.emit('refused', error);
    }
    if (refused !== undefined || this.wholeAgeMs !== Infinity) return;
    for (const view of this.#catalogs) view.settle(error);
  }

  get #isWholeWanted(): boolean {
    return this.#namespace === '*' || this.#catalogs.size > 0;
  }

  #proveWhole(storeAgeMs: number): void {
    const wasReady = this.wholeAgeMs !== Infinity;
    const provenAtMs = this.#options.runtime.monotonicMs() - storeAgeMs;
    this.#wholeProvenAtMs = Math.max(this.#wholeProvenAtMs, provenAtMs);
    this.table.showAbsent(this.table.feeds(), storeAgeMs);
    if (!wasReady) for (const view of this.#catalogs) view.settle(undefined);
  }

  /** Until now only services with a reader were kept, so the streams have to show all of them again. */
  #beginCatalog(): void {
    this.table.isCataloged = true;
    for (const { coverage } of this.#stream.sessions) {
      if (coverage.isWhole) coverage.narrow(this.table.shown());
    }
  }

  /** The last catalog was closed: drops the pictures of services without a reader. */
  #endCatalog(): void {
    if (this.#namespace === '*') return;
    this.table.isCataloged = false;
    this.#wholeProvenAtMs = -Infinity;
    const shown = [...this.table.shown()];
    for (const session of this.#stream.sessions) session.coverage.narrow(shown);
    this.#resume?.coverage.narrow(shown);
    this.#adjustSoon();
  }

  /**
   * As many names as fit into a URL. Undefined = the whole namespace, when the remaining names could not be added
   * later.
   */
  #firstNames(): readonly ServiceRef[] | undefined {
    const first: ServiceRef[] = [];
    let bytes = 0;
    for (const service of this.table.services()) {
      bytes += '&service='.length + service.service.length;
      if (bytes > MAX_NAMES_BYTES) return this.#extends ? first : undefined;
      first.push(service);
    }
    return first;
  }

  /**
   * Whether the new stream can resume: the last stream covered every service that it covers, and each has a picture.
   * While all services are kept, a missing picture is no obstacle: the service did not exist.
   */
  #canResume(coverage: Coverage): boolean {
    const resume = this.#resume;
    if (resume === undefined || (coverage.isWhole && !resume.coverage.isWhole)) return false;
    if (coverage.isWhole && this.table.isCataloged) return true;
    for (const { service, picture } of this.table.feeds()) {
      if (!coverage.has(service)) continue;
      if (picture === undefined || !resume.coverage.has(service)) return false;
    }
    return true;
  }

  /** Adjusts once for all requests of the same tick. */
  #adjustSoon(): void {
    if (this.#isAdjustDue) return;
    this.#isAdjustDue = true;
    queueMicrotask(() => {
      this.#isAdjustDue = false;
      guarded(this.#options.runtime, 'watching services', () => this.#adjust());
    });
  }

  /** Extends the newest stream to everything wanted, or opens another one. */
  #adjust(): void {
    const [session] = this.#stream.sessions;
    if (!this.isUsed || session === undefined) {
      this.#stream.reconcile();
      return;
    }
    if (!session.isSynced) return;
    const isWholeWanted = this.#isWholeWanted;
    const lacking = isWholeWanted ? [] : session.lacking(this.table.services());
    if (isWholeWanted ? session.isWhole : lacking.length === 0) return;
    if (session.stream === undefined) this.#extends = false;
    if (this.#extends) this.#extender.extend(session, isWholeWanted ? undefined : lacking);
    else this.#stream.reconcile();
  }
}
