import { BookmarkEvent, ChangeEvent, SnapshotEvent } from '@rollcall/contract';
import type { StreamEvent } from '../stream/event-stream.ts';
import type { StreamSession, Verdict } from '../stream/live-stream.ts';

/** What a watch connection tells the directory. */
export interface WatchListener {
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

/** A service that a stream is about. */
export interface WatchedService {
  readonly namespace: string;
  readonly service: string;
}

export interface WatchScope {
  /** Of which a picture is held or wanted: what the stream does not show of these does not exist. */
  services(): Iterable<WatchedService>;
  /** The stream goes on from a revision: services unchanged since are not shown. */
  readonly isResuming: boolean;
}

/** One watch connection. */
export class WatchSession implements StreamSession {
  readonly path: string;
  readonly scope: WatchScope;
  readonly #listener: WatchListener;
  #epoch: string | undefined;
  /**
   * Services that stand for something else than what is held, until the next synced bookmark: nothing
   * was shown of them, or something older than what is held.
   */
  readonly #open = new Map<string, WatchedService & Partial<SnapshotEvent>>();

  constructor(path: string, scope: WatchScope, listener: WatchListener) {
    this.path = path;
    this.scope = scope;
    this.#listener = listener;
    if (!scope.isResuming) this.#beginAnew();
  }

  onEvent({ name, data }: StreamEvent): Verdict {
    if (name === 'snapshot') this.#onSnapshot(SnapshotEvent.parse(data));
    else if (name === 'change') this.#onChange(ChangeEvent.parse(data));
    else if (name === 'compacted') this.#beginAnew();
    else if (name === 'bookmark') return this.#onBookmark(BookmarkEvent.parse(data));
    return undefined;
  }

  #beginAnew(): void {
    for (const one of this.scope.services()) this.#open.set(keyOf(one), one);
  }

  #onSnapshot(event: SnapshotEvent): void {
    this.#epoch = event.epoch;
    if (this.#listener.onSnapshot(event)) this.#open.delete(keyOf(event));
    else this.#open.set(keyOf(event), event);
  }

  #onChange(event: ChangeEvent): void {
    this.#open.delete(keyOf(event));
    this.#listener.onChange(event, this.#epoch);
  }

  #onBookmark(event: BookmarkEvent): Verdict {
    if (!event.synced) return event.moving ? 'move' : undefined;
    const { revision, epoch } = event;
    // The server carried the stream on over a store that forgot: what it has sent is the picture of the new one too.
    const before = this.#epoch;
    this.#epoch = epoch;
    for (const { namespace, service, declared = null, endpoints = [] } of this.#open.values())
      this.#listener.onSnapshot({ namespace, service, revision, epoch, declared, endpoints });
    this.#open.clear();
    this.#listener.onSynced(event, this, before);
    return event.moving ? 'up-and-move' : 'up';
  }
}

function keyOf({ namespace, service }: WatchedService): string {
  return `${namespace}/${service}`;
}
