import type { QueueSuspect, QueueWatch } from './queue-watch.ts';
import type { Connection } from './transport.ts';
import { WriteStall } from './write-stall.ts';

export interface SendWatchOwner {
  /** The peer took some of the bytes sent to it. */
  onPeerTaking(): void;
  /** The peer has taken all bytes sent to it. */
  onPeerHasAll(): void;
  /** The peer took nothing for the full time limit. */
  onPeerStalled(): void;
}

/** Watches whether the peer of one connection takes the bytes sent to it. Created when this is first in doubt. */
export class SendWatch implements QueueSuspect {
  readonly connection: Connection;
  readonly #watch: QueueWatch;
  readonly #owner: SendWatchOwner;
  readonly #stall: WriteStall;
  /** A write is waiting for room. */
  #isBlocked = false;
  /** Somebody wants to know when the peer has everything, also after the system has taken all of it. */
  #isFollowing = false;

  constructor(connection: Connection, watch: QueueWatch, owner: SendWatchOwner) {
    this.connection = connection;
    this.#watch = watch;
    this.#owner = owner;
    this.#stall = new WriteStall(watch.bounds);
  }

  /** A write was not taken completely. */
  block(): void {
    this.#isBlocked = true;
    this.#watchQueue();
  }

  /** The system has taken the bytes of all writes. */
  unblock(): void {
    this.#isBlocked = false;
    if (!this.#isFollowing) this.#stall.lookAt = 0;
  }

  /** Watches until the peer has all bytes, which it may not have when the system took them. */
  follow(): void {
    this.#isFollowing = true;
    this.#watchQueue();
  }

  /** Like `follow`, but looks at the next sweep. */
  inquire(): void {
    const now = this.#watch.now();
    this.#watchQueue();
    this.#stall.postpone(now);
    this.#watch.add(this);
  }

  clear(): void {
    this.#isBlocked = false;
    this.#isFollowing = false;
    this.#stall.lookAt = 0;
  }

  checkDeadlines(now: number): void {
    if (this.#stall.lookAt === 0 || now < this.#stall.lookAt) return;
    this.#stall.postpone(now);
    this.#watch.add(this);
  }

  onSendQueue(length: number, now: number): void {
    if (this.#stall.lookAt === 0) return;
    switch (this.#stall.judge(length, now)) {
      case 'taking':
        this.#owner.onPeerTaking();
        return;
      case 'sent':
        if (this.#isBlocked) {
          this.#owner.onPeerTaking();
          return;
        }
        this.clear();
        this.#owner.onPeerHasAll();
        return;
      case 'stalled':
        this.clear();
        this.#owner.onPeerStalled();
        return;
      default:
    }
  }

  #watchQueue(): void {
    if (this.#stall.lookAt === 0) this.#stall.watch(this.#watch.now());
  }
}
