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
  /** A write was taken, but its writer waits for the source. */
  #isHeldBySource = false;

  constructor(connection: Connection, queueWatch: QueueWatch, share: SourceShare | undefined) {
    this.#connection = connection;
    this.#queueWatch = queueWatch;
    this.#share = share;
  }

  /** Like Connection.write: after false, the writer waits for a drain of the connection, or for `isReleased`. */
  write(buffer: Uint8Array, start: number, end: number): boolean {
    const isInDebt = this.#share?.pass(end - start) === true;
    if (!this.#connection.write(buffer, start, end)) this.#watched.block();
    else if (isInDebt) this.#isHeldBySource = true;
    else return true;
    return false;
  }

  inquire(): void {
    this.#watched.inquire();
  }

  /** The connection has taken what a write left over. */
  unblock(): void {
    this.#watch?.unblock();
  }

  clear(): void {
    this.#watch?.clear();
  }

  checkDeadlines(now: number): void {
    this.#watch?.checkDeadlines(now);
  }

  /** The source has bytes left. @returns once whether a writer waits for that. */
  isReleased(): boolean {
    const wasHeld = this.#isHeldBySource;
    this.#isHeldBySource = false;
    return wasHeld;
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
