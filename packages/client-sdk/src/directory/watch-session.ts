import {
  BookmarkEvent,
  type ChangeEvent,
  CompactedEvent,
  ExtendedEvent,
  type SnapshotEvent,
  serviceKeyOf,
  type ServiceRef,
} from '@rollcall/contract';
import type { StreamEvent } from '../stream/event-stream.ts';
import type { Coverage } from './coverage.ts';
import { isNewer } from './picture.ts';
import type { StreamSession, Verdict } from '../stream/live-stream.ts';
import { type OnUnusable, readChange, readSnapshot } from './watch-events.ts';

/** How much later than a picture a proof of the store must be to speak against it, in ms: both were told over a network. */
const PROOF_MS = 1_000;

/** What is held of a service. */
export interface Held {
  readonly revision: string;
  /** Since when, in ms. */
  readonly ageMs: number;
}

/** What a watch connection is for. */
export interface WatchPlan {
  readonly url: string;
  readonly path: string;
  readonly coverage: Coverage;
  /** The stream goes on from a revision: services unchanged since are not shown. */
  readonly isResuming: boolean;
}

/** What a watch connection tells the directory. */
export interface WatchListener {
  /** All services whose picture is held or wanted. */
  services(): Iterable<ServiceRef>;
  /** An endpoint was shown that no call can be made to; the picture goes on without it. */
  readonly onUnusable: OnUnusable;
  /** The store has lost the past that the pictures are of: the snapshots that follow hold, whatever their revisions. */
  onLost(): void;
  /** The picture that is held; undefined = none. */
  heldOf(service: ServiceRef): Held | undefined;
  /** Answers whether the snapshot is as new as what is held. */
  onSnapshot(event: SnapshotEvent): boolean;
  /** `epoch`: that of the stream's store; undefined as long as the stream has not named it. */
  onChange(event: ChangeEvent, epoch: string | undefined): void;
  /**
   * Everything up to the bookmark's revision has been sent. `before`: the epoch that the stream was of until now;
   * undefined = it had not named one.
   */
  onSynced(event: BookmarkEvent, session: WatchSession, before: string | undefined): void;
}

/** Where a stream may be resumed. */
export type Position = Pick<BookmarkEvent, 'revision' | 'mark'>;

/** Asks for a stream that goes on from a position. */
export function appendPosition(query: URLSearchParams, { revision, mark }: Position): void {
  query.append('since', revision);
  if (mark !== '') query.append('mark', mark);
}

/** One watch connection. */
export class WatchSession implements StreamSession {
  readonly path: string;
  readonly url: string;
  /** What it is about: what it does not show of these does not exist. */
  readonly coverage: Coverage;
  /** Its name at its server, where it takes up further services; undefined = it has not said one. */
  stream: string | undefined;
  /** It has shown all that it was opened for. */
  isSynced = false;
  /** What its server was asked to take up, and has not shown yet; undefined among them = all. */
  readonly #asked = new Set<string | undefined>();
  readonly #listener: WatchListener;
  #epoch: string | undefined;
  /**
   * Services that stand for something else than what is held, until the next synced bookmark: nothing
   * was shown of them, or something older than what is held.
   */
  readonly #open = new Map<string, ServiceRef & Partial<SnapshotEvent>>();

  /** Services of which more is held than this server has: it is behind, or that past was lost. Key -> revision held. */
  readonly #ahead = new Map<string, string>();
  /** It turned out to go on from a past that was lost: nothing more of it counts. */
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

  /** Whether it is about all of its scope, or its server was asked that it be. */
  get isWhole(): boolean {
    return this.coverage.isWhole || this.#asked.has(undefined);
  }

  /** Names of those that it is not about, and was not asked to be. */
  lacking(services: Iterable<ServiceRef>): string[] {
    const lacking: string[] = [];
    for (const one of services) {
      if (!this.coverage.has(one) && !this.#asked.has(one.service)) lacking.push(one.service);
    }
    return lacking;
  }

  /** Notes that the server was asked to take these services up; undefined = all. */
  ask(services: readonly (string | undefined)[] = [undefined]): void {
    for (const service of services) this.#asked.add(service);
  }

  /** Stops waiting for these: the stream shows them now, or the server refused them; undefined = all. */
  unask(services: readonly (string | undefined)[] = [undefined]): void {
    for (const service of services) this.#asked.delete(service);
  }

  /** Nobody reads a service any more: who does later has it shown again. */
  forget(one: ServiceRef): void {
    this.coverage.forget(serviceKeyOf(one));
    this.#asked.delete(one.service);
  }

  onEvent({ name, data }: StreamEvent): Verdict {
    if (this.#isOver) return undefined;
    if (name === 'snapshot') this.#onSnapshot(readSnapshot(data, this.#listener.onUnusable));
    else if (name === 'change') return this.#onChange(readChange(data, this.#listener.onUnusable));
    else if (name === 'compacted') {
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

  /** Those that a picture is held or wanted of. */
  *#covered(): Iterable<ServiceRef> {
    for (const one of this.#listener.services()) if (this.coverage.has(one)) yield one;
  }

  #onSnapshot(event: SnapshotEvent): void {
    this.#epoch = event.epoch;
    this.#note(event);
    if (this.#listener.onSnapshot(event)) this.#open.delete(serviceKeyOf(event));
    else this.#open.set(serviceKeyOf(event), event);
  }

  #onChange(event: ChangeEvent): Verdict {
    // A server goes on sending changes of services that nobody reads any more. Their pictures were dropped, and a
    // change alone does not make a picture.
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

  /** The server went past a revision that is held, and has never shown it. */
  #lost(): Verdict {
    this.#isOver = true;
    this.#listener.onLost();
    return 'anew';
  }

  /** Whether a revision that is held turns out to be of a past that the server knows nothing of. */
  #isPassed({ revision, applied = revision, storeAgeMs }: BookmarkEvent): boolean {
    const keys = new Set<string>();
    for (const one of this.#covered()) {
      const key = serviceKeyOf(one);
      keys.add(key);
      const held = this.#listener.heldOf(one);
      if (held === undefined || this.#shown.get(key) === held.revision) this.#ahead.delete(key);
      else if (isNewer(held.revision, revision)) {
        // The store said that there is nothing newer when this had long been known.
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

  #onBookmark(event: BookmarkEvent): Verdict {
    if (!event.synced) return event.moving ? 'move' : undefined;
    const { revision, epoch } = event;
    this.stream = event.stream ?? this.stream;
    this.isSynced = true;
    // The server carried the stream on over a store that forgot: what it has sent is the picture of the new one too.
    const before = this.#epoch;
    this.#epoch = epoch;
    if (this.#isPassed(event)) return this.#lost();
    for (const { namespace, service, declared = null, endpoints = [] } of this.#open.values()) {
      this.#note({ namespace, service, revision });
      this.#listener.onSnapshot({ namespace, service, revision, epoch, declared, endpoints });
    }
    this.#open.clear();
    this.#listener.onSynced(event, this, before);
    return event.moving ? 'up-and-move' : 'up';
  }
}
