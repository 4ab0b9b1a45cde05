import {
  type BookmarkEvent,
  type ChangeEvent,
  pathOf,
  ROUTES,
  type SnapshotEvent,
} from '@rollcall/contract';
import type { RollcallError } from '../error.ts';
import type { ResolvedOptions } from '../options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { LiveStream, type StreamPlan, type StreamSession } from '../stream/live-stream.ts';
import { isNewer, withChange, withSnapshot } from './picture.ts';
import { Trouble } from '../trouble.ts';
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

/** Above this many services their names would not fit a URL: the whole namespace is watched. */
const MAX_NAMED_SERVICES = 100;

/** A watch that is down for no longer than this, in ms, is nothing to tell of: servers come and go. */
export const TROUBLE_MS = 1_000;

/** Where a broken watch may go on: all changes of `services` up to `revision` are known. */
interface Resume extends Position {
  readonly services: ReadonlySet<string>;
}

/** The live pictures of the services in use of one namespace, over one watch stream. */
export class NamespaceDirectory implements StreamPlan, WatchListener {
  readonly #namespace: string;
  readonly #options: ResolvedOptions;
  readonly #feeds = new Map<string, ServiceFeed>();
  readonly #stream: LiveStream;
  readonly onUnusable: OnUnusable;
  readonly #trouble: Trouble;
  #resume: Resume | undefined;
  #behind = 0;
  #isRefreshDue = false;

  constructor(client: RegistryApi, options: ResolvedOptions, namespace: string) {
    this.#namespace = namespace;
    this.#options = options;
    this.#trouble = new Trouble(options.runtime, `watching namespace ${namespace}`);
    this.onUnusable = createUnusableNote(options.runtime);
    this.#stream = new LiveStream(client, options, this);
  }

  /** Why the watch is down; undefined while it is up or has not failed yet. */
  get failure(): RollcallError | undefined {
    return this.#trouble.last;
  }

  get isUsed(): boolean {
    return this.#feeds.size > 0;
  }

  /**
   * The feed of a service, watched from now on; all services that are asked for in one turn share one
   * new stream. Each caller gives it back by {@link release}.
   */
  acquire(service: string): ServiceFeed {
    const known = this.#feeds.get(service);
    const feed = known ?? new ServiceFeed(this.#options);
    feed.users++;
    if (known === undefined) {
      this.#feeds.set(service, feed);
      this.#refreshSoon();
    }
    return feed;
  }

  /** Stops watching the service after its last user. The stream stays as it is while others are watched. */
  release(service: string): void {
    const feed = this.#feeds.get(service);
    if (feed === undefined || --feed.users > 0) return;
    feed.close();
    this.#feeds.delete(service);
    if (this.#feeds.size === 0) this.#refreshSoon();
  }

  close(): void {
    this.#stream.close();
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  begin(): StreamSession | undefined {
    const services = new Set(this.#feeds.keys());
    if (services.size === 0) return undefined;
    const resume = this.#canResume() ? this.#resume : undefined;
    const query = new URLSearchParams({ namespace: this.#namespace });
    if (services.size <= MAX_NAMED_SERVICES)
      for (const service of services) query.append('service', service);
    if (resume !== undefined) appendPosition(query, resume);
    const path = `${pathOf(ROUTES.watch)}?${query.toString()}`;
    const namespace = this.#namespace;
    const scope = {
      services: () => [...services].map((service) => ({ namespace, service })),
      isResuming: resume !== undefined,
    };
    return new WatchSession(path, scope, this);
  }

  /** Only when every service in use has a picture and was covered by the stream that got so far. */
  #canResume(): boolean {
    const covered = this.#resume?.services;
    return [...this.#feeds].every(
      ([service, feed]) => feed.picture !== undefined && covered?.has(service) === true,
    );
  }

  onFailure(error: RollcallError): void {
    this.#trouble.note(error, TROUBLE_MS);
    if (error.code === 'replica_behind' && ++this.#behind >= this.#options.url.length) {
      this.onLost();
    }
    if (error.retryable) return;
    for (const feed of this.#feeds.values()) feed.events.emit('refused', error);
  }

  heldOf({ service }: WatchedService): Held | undefined {
    return this.#feeds.get(service)?.held;
  }

  onLost(): void {
    this.#resume = undefined;
    for (const feed of this.#feeds.values()) feed.disown();
  }

  onSnapshot(event: SnapshotEvent): boolean {
    const feed = this.#feeds.get(event.service);
    if (feed === undefined) return true;
    const graceMs = this.#options.unconfirmedGraceMs;
    const nowMs = this.#options.runtime.monotonicMs();
    const held = feed.picture;
    feed.publish(withSnapshot(held, event, { nowMs, graceMs }));
    return held?.epoch !== event.epoch || !isNewer(held.snapshot.revision, event.revision);
  }

  onChange(event: ChangeEvent, epoch: string | undefined): void {
    const feed = this.#feeds.get(event.service);
    const picture = feed?.picture;
    if (picture === undefined || (epoch !== undefined && epoch !== picture.epoch)) return;
    feed?.publish(withChange(picture, event));
  }

  onSynced(event: BookmarkEvent, session: WatchSession, before: string | undefined): void {
    const services = new Set([...session.scope.services()].map(({ service }) => service));
    for (const service of services) {
      const feed = this.#feeds.get(service);
      feed?.adopt(before, event.epoch);
      feed?.prove(event.storeAgeMs);
    }
    this.#resume = { revision: event.revision, mark: event.mark, services };
    this.#behind = 0;
    this.#trouble.over();
  }

  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    queueMicrotask(() => {
      this.#isRefreshDue = false;
      this.#stream.refresh();
    });
  }
}
