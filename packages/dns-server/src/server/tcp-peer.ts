import type { Socket } from 'node:net';
import { MessageSplitter } from '../wire/tcp-framing.ts';

/** One TCP client: its queries so far, and since when it is being waited for. */
export class TcpPeer {
  readonly socket: Socket;
  readonly splitter = new MessageSplitter();
  /** Complete queries so far. */
  queries = 0;
  /** Answers of other servers that are still awaited. */
  underWay = 0;
  hasEnded = false;
  /** Since when the current message, or the first one, is awaited. */
  waitingSinceMs: number;

  constructor(socket: Socket, nowMs: number) {
    this.socket = socket;
    this.waitingSinceMs = nowMs;
  }

  /** Notes that a query is complete. */
  noteQuery(nowMs: number): void {
    this.queries += 1;
    this.waitingSinceMs = nowMs;
  }

  /**
   * Notes received bytes. The start of a new message starts its time limit; more bytes of
   * the current one do not extend it.
   */
  noteBytes(nowMs: number): void {
    if (this.splitter.isEmpty && this.queries > 0) this.waitingSinceMs = nowMs;
  }

  /** Whether one message takes too long. Silence between messages is limited elsewhere. */
  isOverdue(nowMs: number, messageMs: number): boolean {
    const isOwing = this.queries === 0 || !this.splitter.isEmpty;
    return isOwing && !this.socket.isPaused() && nowMs - this.waitingSinceMs >= messageMs;
  }

  /** Whether it may be closed when another client needs its place. */
  get isIdle(): boolean {
    return this.splitter.isEmpty && this.underWay === 0 && this.socket.writableLength === 0;
  }
}
