import type { QueueWatch } from '../io/queue-watch.ts';
import { SendWatch, type SendWatchOwner } from '../io/send-watch.ts';
import type { ConnectHandler, Connection, Connector } from '../io/transport.ts';
import type { Target } from '../model/target.ts';

/** The current user of a connection to a target. */
export interface UpstreamOwner {
  onUpstreamOpen(): void;
  onUpstreamData(buffer: Buffer, start: number, end: number): void;
  onUpstreamDrain(): void;
  /** The target will send no more. */
  onUpstreamEnd(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
  onUpstreamDeadline(): void;
  /** The target took some of the bytes sent to it. */
  onUpstreamTaking(): void;
  /** The target has taken all bytes sent to it. */
  onUpstreamHasAll(): void;
  /** The target took nothing for too long. */
  onUpstreamStalled(): void;
}

/** The pool's side of an unused connection. */
export interface IdleKeeper {
  /** The connection can serve no further request. May be called more than once. */
  onIdleLost(connection: UpstreamConnection): void;
  onGone(connection: UpstreamConnection): void;
}

export interface UpstreamPlace {
  readonly keeper: IdleKeeper;
  readonly queueWatch: QueueWatch;
}

/** All connections of the pool to one target. */
export interface TargetEntry {
  /** Last in, first out: the most recently used connection is reused first, and the others may expire. */
  readonly idle: UpstreamConnection[];
  open: number;
  isRetired: boolean;
}

/** One connection to a target: used by one exchange at a time, kept by the pool in between. */
export class UpstreamConnection implements ConnectHandler, SendWatchOwner {
  owner: UpstreamOwner | null;
  isOpen = false;
  /** It has served a request before: a close without a response may only mean that it was stale. */
  isReused = false;
  /** On the plane's clock; 0 = none. */
  readDeadline = 0;
  readonly target: Target;
  readonly entry: TargetEntry;
  #connection: Connection | undefined;
  #sendWatch: SendWatch | undefined;
  readonly #keeper: IdleKeeper;
  readonly #queueWatch: QueueWatch;

  constructor(target: Target, owner: UpstreamOwner, entry: TargetEntry, pool: UpstreamPlace) {
    this.target = target;
    this.entry = entry;
    this.owner = owner;
    this.#keeper = pool.keeper;
    this.#queueWatch = pool.queueWatch;
  }

  connect(connector: Connector): void {
    this.#connection = connector.connect(this.target, this);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#connection!.write(buffer, start, end)) return true;
    this.#watchSending().block();
    return false;
  }

  /** Watches whether the target takes the bytes sent to it, even if none of them is queued here. */
  followSending(): void {
    this.#watchSending().follow();
  }

  inquireSending(): void {
    this.#watchSending().inquire();
  }

  /** Stops watching the bytes sent so far. */
  ceaseFollowing(): void {
    this.#sendWatch?.clear();
  }

  pause(): void {
    this.#connection!.pause();
  }

  resume(): void {
    this.#connection!.resume();
  }

  shutdown(): void {
    this.#connection!.shutdown();
  }

  /** Closes the connection; its owner gets no more events. */
  discard(): void {
    this.owner = null;
    this.#sendWatch?.clear();
    this.#connection!.close();
  }

  /** Breaks the connection; its owner sees this as if the target had done it. */
  sever(): void {
    this.#connection!.abort();
  }

  checkDeadlines(now: number): void {
    this.#sendWatch?.checkDeadlines(now);
    if (this.readDeadline === 0 || now < this.readDeadline) return;
    this.readDeadline = 0;
    if (this.owner === null) this.#loseIdle();
    else this.owner.onUpstreamDeadline();
  }

  onConnect(): void {
    this.isOpen = true;
    this.owner?.onUpstreamOpen();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    // Unrequested bytes: they must not become the next response.
    if (this.owner === null) this.#loseIdle();
    else this.owner.onUpstreamData(buffer, start, end);
  }

  onDrain(): void {
    this.#sendWatch?.unblock();
    this.owner?.onUpstreamDrain();
  }

  onEnd(): void {
    if (this.owner === null) this.#loseIdle();
    else this.owner.onUpstreamEnd();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    const owner = this.owner;
    this.owner = null;
    this.#sendWatch?.clear();
    this.#keeper.onIdleLost(this);
    this.#keeper.onGone(this);
    owner?.onUpstreamClose(error);
    this.isOpen = false;
  }

  onPeerTaking(): void {
    this.owner?.onUpstreamTaking();
  }

  onPeerHasAll(): void {
    this.owner?.onUpstreamHasAll();
  }

  onPeerStalled(): void {
    this.owner?.onUpstreamStalled();
  }

  #watchSending(): SendWatch {
    this.#sendWatch ??= new SendWatch(this.#connection!, this.#queueWatch, this);
    return this.#sendWatch;
  }

  #loseIdle(): void {
    this.#keeper.onIdleLost(this);
    this.discard();
  }
}
