import type { QueueWatch } from '../io/queue-watch.ts';
import { SendWatch, type SendWatchOwner } from '../io/send-watch.ts';
import type { Connection } from '../io/transport.ts';
import type { ClientTunnel } from './exchange-services.ts';
import type { SourceShare } from './source-share.ts';

/** Bytes on their way to a client: whether it takes them, and whether its source may have them now. */
export class ClientSending implements SendWatchOwner {
  /** Told what the client takes, once there is one. */
  tunnel: ClientTunnel | undefined;
  readonly #connection: Connection;
  readonly #queueWatch: QueueWatch;
  readonly #share: SourceShare | undefined;
  /** Created when it is first in doubt. */
  #watch: SendWatch | undefined;
  /** The connection has not taken the last write completely. */
  #isBlocked = false;
  /** The writer waits until its source may have more bytes. */
  #isHeldBySource = false;

  constructor(connection: Connection, queueWatch: QueueWatch, share: SourceShare | undefined) {
    this.#connection = connection;
    this.#queueWatch = queueWatch;
    this.#share = share;
  }

  /** Like Connection.write: after false, the writer waits until `hasDrained` or `isReleased` is true. */
  write(buffer: Uint8Array, start: number, end: number): boolean {
    this.#isHeldBySource = this.#share?.pass(end - start) === true;
    this.#isBlocked = !this.#connection.write(buffer, start, end);
    if (this.#isBlocked) this.#watched.block();
    return !this.#isBlocked && !this.#isHeldBySource;
  }

  inquire(): void {
    this.#watched.inquire();
  }

  /** The connection has taken what a write left over. @returns whether the writer may go on. */
  hasDrained(): boolean {
    this.#isBlocked = false;
    this.#watch?.unblock();
    return !this.#isHeldBySource;
  }

  clear(): void {
    this.#watch?.clear();
  }

  checkDeadlines(now: number): void {
    this.#watch?.checkDeadlines(now);
  }

  /** The source has bytes left. @returns once whether a writer that waited for that may go on. */
  isReleased(): boolean {
    const wasHeld = this.#isHeldBySource;
    this.#isHeldBySource = false;
    return wasHeld && !this.#isBlocked;
  }

  onPeerTaking(): void {
    this.tunnel?.onClientTaking();
  }

  onPeerHasAll(): void {
    this.tunnel?.onClientHasAll();
  }

  onPeerStalled(): void {
    this.#connection.abort();
  }

  get #watched(): SendWatch {
    return (this.#watch ??= new SendWatch(this.#connection, this.#queueWatch, this));
  }
}
