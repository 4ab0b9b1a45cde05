import type { QueueWatch } from '../io/queue-watch.ts';
import { SendWatch, type SendWatchOwner } from '../io/send-watch.ts';
import type { ConnectHandler, Connection, Transport } from '../io/transport.ts';
import type { Target } from '../model/target.ts';

/** Whoever uses a connection to a target at the moment. */
export interface UpstreamOwner {
  onUpstreamOpen(): void;
  onUpstreamData(buffer: Buffer, start: number, end: number): void;
  onUpstreamDrain(): void;
  /** The target will send no more. */
  onUpstreamEnd(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
  onUpstreamDeadline(): void;
  /** The target took some of what it was sent. */
  onUpstreamTaking(): void;
  /** The target has all that it was sent. */
  onUpstreamHasAll(): void;
  /** The target took nothing for too long. */
  onUpstreamStalled(): void;
}

/** The pool's side of a connection that nobody uses. */
export interface IdleKeeper {
  /** The connection can serve no further request. Possibly more than once. */
  onIdleLost(connection: UpstreamConnection): void;
  onGone(connection: UpstreamConnection): void;
}

export interface UpstreamPlace {
  readonly keeper: IdleKeeper;
  readonly queueWatch: QueueWatch;
}

/** One connection to a target: used by one exchange at a time, kept by the pool in between. */
export class UpstreamConnection implements ConnectHandler, SendWatchOwner {
  owner: UpstreamOwner | null;
  isOpen = false;
  /** Served a request before: a close without an answer may only mean that it was stale. */
  isReused = false;
  /** On the clock of the plane; 0: none. */
  readDeadline = 0;
  readonly target: Target;
  #connection: Connection | undefined;
  #sendWatch: SendWatch | undefined;
  readonly #keeper: IdleKeeper;
  readonly #queueWatch: QueueWatch;

  constructor(target: Target, owner: UpstreamOwner, pool: UpstreamPlace) {
    this.target = target;
    this.owner = owner;
    this.#keeper = pool.keeper;
    this.#queueWatch = pool.queueWatch;
  }

  connect(transport: Transport): void {
    this.#connection = transport.connect(this.target, this);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#connection!.write(buffer, start, end)) return true;
    this.#watchSending().block();
    return false;
  }

  /** Looks whether the target takes what it was sent, although none of it waits here. */
  followSending(): void {
    this.#watchSending().follow();
  }

  inquireSending(): void {
    this.#watchSending().inquire();
  }

  /** What it was sent so far concerns nobody any more. */
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

  /** Gives the connection up; its owner hears no more of it. */
  discard(): void {
    this.owner = null;
    this.#sendWatch?.clear();
    this.#connection!.close();
  }

  /** Breaks the connection under its owner, who is told as if the target had done it. */
  sever(): void {
    this.#connection!.abort();
  }

  expire(now: number): void {
    this.#sendWatch?.expire(now);
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
    // Bytes that nobody asked for: whatever they are, they must not become the next answer.
    if (this.owner === null) this.#loseIdle();
    else this.owner.onUpstreamData(buffer, start, end);
  }

  onDrain(): void {
    this.#sendWatch?.clear();
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
