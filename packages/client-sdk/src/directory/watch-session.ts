import {
  BookmarkEvent,
  type ChangeEvent,
  CompactedEvent,
  type Endpoint,
  ExtendedEvent,
  type SnapshotEvent,
  serviceKeyOf,
  type ServiceRef,
} from '@rollcall/contract';
import type { StreamEvent } from '../stream/event-stream.ts';
import type { Coverage } from './coverage.ts';
import { isNewer } from './picture.ts';
import type { StreamSession, StreamAction } from '../stream/live-stream.ts';
import { type OnUnusable, readChange, readSnapshot } from './watch-events.ts';

/**
 * How much newer than a picture a confirmation of the store must be to contradict it, in ms: both came over a network.
 */
const PROOF_MS = 1_000;

/** The picture held of a service. */
export interface Held {
  readonly revision: string;
  /** How long it has been held, in ms. */
  readonly ageMs: number;
}

/** The purpose of a watch connection. */
export interface WatchPlan {
  readonly url: string;
  readonly path: string;
  readonly coverage: Coverage;
  /** The stream resumes at a revision: it does not show services unchanged since then. */
  readonly isResuming: boolean;
}

/** Callbacks of a watch connection, implemented by the directory. */
export interface WatchListener {
  /** All services whose picture is held or wanted. */
  services(): Iterable<ServiceRef>;
  /** The stream showed an endpoint that cannot be called; the picture leaves it out. */
  readonly onUnusable: OnUnusable;
  /**
   * The store has lost the history that the pictures belong to: accept the following snapshots, whatever their
   * revisions.
   */
  onLost(): void;
  /** The picture held; undefined = none. */
  heldOf(service: ServiceRef): Held | undefined;
  /** Returns whether the snapshot is at least as new as the picture held. */
  onSnapshot(event: SnapshotEvent): boolean;
  /** `epoch`: of the stream's store; undefined until the stream has sent it. */
  onChange(event: ChangeEvent, epoch: string | undefined): void;
  /**
   * Everything up to the bookmark's revision has been sent. `before`: the stream's epoch until now; undefined = it had
   * not sent one.
   */
  onSynced(event: BookmarkEvent, session: WatchSession, before: string | undefined): void;
  /** What the stream sent up to this revision is applied, and shows that an endpoint drains. */
  onDraining(session: WatchSession, revision: string): void;
}

/** Where a stream can resume. */
export type Position = Pick<BookmarkEvent, 'revision' | 'digest'>;

/** Adds a position to the query, so that the stream resumes there. */
export function appendPosition(query: URLSearchParams, { revision, digest }: Position): void {
  query.append('since', revision);
  if (digest !== '') query.append('digest', digest);
}

const isDraining = ({ state }: Endpoint): boolean => state === 'draining';

/** One watch connection. */
export class WatchSession implements StreamSession {
  readonly path: string;
  readonly url: string;
  /** The services that it covers: those that it does not show do not exist. */
  readonly coverage: Coverage;
  /** The stream's name at its server, needed to extend it; undefined = the server has not sent one. */
  stream: string | undefined;
  /** The stream has shown everything it was opened for. */
  isSynced = false;
  /** Services that the server was asked to add and has not shown yet; undefined among them = all. */
  readonly #asked = new Set<string | undefined>();
  readonly #listener: WatchListener;
  #epoch: string | undefined;
  /** An endpoint was shown that drains, and the server does not know yet that it is applied. */
  #isAckDue = false;
  /**
   * Services whose value differs from the picture held, until the next synced bookmark: the stream showed nothing of
   * them, or something older than the picture held.
   */
  readonly #open = new Map<string, ServiceRef & Partial<SnapshotEvent>>();

  /**
   * Services whose held revision is newer than this server's: the server lags, or that history was lost. Key ->
   * revision held.
   */
  readonly #ahead = new Map<string, string>();
  /** The stream resumed at a history that was lost: ignore everything else it sends. */
  #isOver = false;
  /** Revisions that this stream has shown, of services that are still held. */
  readonly #shown = new Map<string, string>();

  constructor({ url, path, coverage, isResuming }: WatchPlan, listener: WatchListener) {
    this.url = url;
    this.path = path;
    this.coverage = coverage;
    this.#listener = listener;
    if (!isResuming) this.#beginAnew();
  }

  /** Whether it covers all of its scope, or its server was asked for that. */
  get isWhole(): boolean {
    return this.coverage.isWhole || this.#asked.has(undefined);
  }

  /** Names of the services that it does not cover and that were not asked for. */
  lacking(services: Iterable<ServiceRef>): string[] {
    const lacking: string[] = [];
    for (const one of services) {
      if (!this.coverage.has(one) && !this.#asked.has(one.service)) lacking.push(one.service);
    }
    return lacking;
  }

  /** Notes that the server was asked to add these services; undefined = all. */
  markAsked(services: readonly (string | undefined)[] = [undefined]): void {
    for (const service of services) this.#asked.add(service);
  }

  /** Stops waiting for these: the stream shows them now, or the server refused them; undefined = all. */
  unask(services: readonly (string | undefined)[] = [undefined]): void {
    for (const service of services) this.#asked.delete(service);
  }

  /** The service has no reader any more: a later reader needs it shown again. */
  forget(one: ServiceRef): void {
    this.coverage.forget(serviceKeyOf(one));
    this.#asked.delete(one.service);
  }

  onEvent({ name, data }: StreamEvent): StreamAction {
    if (this.#isOver) return undefined;
    if (name === 'snapshot') {
      const event = readSnapshot(data, this.#listener.onUnusable);
      this.#onSnapshot(event);
      this.#isAckDue ||= event.endpoints.some(isDraining);
    } else if (name === 'change') {
      const event = readChange(data, this.#listener.onUnusable);
      const action = this.#onChange(event);
      this.#isAckDue ||= event.upserts.some(isDraining);
      if (this.isSynced) this.#acknowledge(event.revision);
      return action;
    } else if (name === 'compacted') {
      if (CompactedEvent.parse(data).isLost) this.#listener.onLost();
      this.#beginAnew();
    } else if (name === 'extended') this.#onExtended(ExtendedEvent.parse(data));
    else if (name === 'bookmark') return this.#onBookmark(BookmarkEvent.parse(data));
    return undefined;
  }

  #beginAnew(): void {
    for (const one of this.#covered()) this.#open.set(serviceKeyOf(one), one);
  }

  #onExtended({ namespace, services }: ExtendedEvent): void {
    const named = services?.map((service) => ({ namespace, service }));
    this.coverage.add(named?.map(serviceKeyOf));
    this.unask(services);
    for (const one of named ?? this.#covered()) this.#open.set(serviceKeyOf(one), one);
  }

  /** The covered services whose picture is held or wanted. */
  *#covered(): Iterable<ServiceRef> {
    for (const one of this.#listener.services()) if (this.coverage.has(one)) yield one;
  }

  #onSnapshot(event: SnapshotEvent): void {
    this.#epoch = event.epoch;
    this.#note(event);
    if (this.#listener.onSnapshot(event)) this.#open.delete(serviceKeyOf(event));
    else this.#open.set(serviceKeyOf(event), event);
  }

  #onChange(event: ChangeEvent): StreamAction {
    // A server keeps sending changes of services without a reader. Their pictures were dropped, and a change alone does
    // not make a picture.
    if (!this.coverage.has(event)) return undefined;
    const key = serviceKeyOf(event);
    const held = this.#ahead.get(key);
    if (held !== undefined && isNewer(event.first ?? event.revision, held)) return this.#lost();
    if (held !== undefined && !isNewer(held, event.revision)) this.#ahead.delete(key);
    this.#open.delete(key);
    this.#note(event);
    this.#listener.onChange(event, this.#epoch);
    return undefined;
  }

  #note(event: ServiceRef & { readonly revision: string }): void {
    const known = this.#shown.get(serviceKeyOf(event));
    if (known === undefined || isNewer(event.revision, known)) {
      this.#shown.set(serviceKeyOf(event), event.revision);
    }
  }

  /** The server passed a revision that is held here, but never showed it. */
  #lost(): StreamAction {
    this.#isOver = true;
    this.#listener.onLost();
    return 'reopen';
  }

  /** Whether a held revision belongs to a history that the server does not know. */
  #isPassed({ revision, applied = revision, storeAgeMs }: BookmarkEvent): boolean {
    const keys = new Set<string>();
    for (const one of this.#covered()) {
      const key = serviceKeyOf(one);
      keys.add(key);
      const held = this.#listener.heldOf(one);
      if (held === undefined || this.#shown.get(key) === held.revision) this.#ahead.delete(key);
      else if (isNewer(held.revision, revision)) {
        // The store confirmed that there is nothing newer at a time when this revision had long been known here.
        const isAhead = isNewer(held.revision, applied);
        if (isAhead && held.ageMs - storeAgeMs > PROOF_MS) return true;
        if (isAhead) this.#ahead.set(key, held.revision);
      } else if (this.#ahead.get(key) === held.revision && !this.#open.has(key)) return true;
      else this.#ahead.delete(key);
    }
    if (this.#shown.size > keys.size) {
      for (const key of this.#shown.keys()) if (!keys.has(key)) this.#shown.delete(key);
    }
    return false;
  }

  #acknowledge(revision: string): void {
    if (!this.#isAckDue) return;
    this.#isAckDue = false;
    this.#listener.onDraining(this, revision);
  }

  #onBookmark(event: BookmarkEvent): StreamAction {
    if (!event.synced) return event.moving ? 'move' : undefined;
    const { revision, epoch } = event;
    this.stream = event.stream ?? this.stream;
    this.isSynced = true;
    // The server continued the stream over a store that lost its data: what it has sent is also the picture of the new
    // store.
    const before = this.#epoch;
    this.#epoch = epoch;
    if (this.#isPassed(event)) return this.#lost();
    for (const { namespace, service, declared = null, endpoints = [] } of this.#open.values()) {
      this.#note({ namespace, service, revision });
      this.#listener.onSnapshot({ namespace, service, revision, epoch, declared, endpoints });
    }
    this.#open.clear();
    this.#listener.onSynced(event, this, before);
    this.#acknowledge(revision);
    return event.moving ? 'up-and-move' : 'up';
  }
}
