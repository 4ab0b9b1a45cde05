import type { Socket } from 'node:net';
import { MessageSplitter } from '../wire/tcp-framing.ts';

/** One client over TCP: what came of it, and since when something is waited for. */
export class TcpPeer {
  readonly socket: Socket;
  readonly splitter = new MessageSplitter();
  /** Whole queries so far. */
  queries = 0;
  /** Answers that are still to come, from others. */
  underWay = 0;
  hasEnded = false;
  /** Since when the message under way, or the first one, is waited for. */
  waitingSinceMs: number;

  constructor(socket: Socket, nowMs: number) {
    this.socket = socket;
    this.waitingSinceMs = nowMs;
  }

  /** A query was complete. */
  noteQuery(nowMs: number): void {
    this.queries += 1;
    this.waitingSinceMs = nowMs;
  }

  /** Bytes came: of a new message, or more of the one under way, which does not give it more time. */
  noteBytes(nowMs: number): void {
    if (this.splitter.isEmpty && this.queries > 0) this.waitingSinceMs = nowMs;
  }

  /** Whether it has been at one message for too long. Between messages it may be silent; that is bounded elsewhere. */
  isOverdue(nowMs: number, messageMs: number): boolean {
    const isOwing = this.queries === 0 || !this.splitter.isEmpty;
    return isOwing && !this.socket.isPaused() && nowMs - this.waitingSinceMs >= messageMs;
  }

  /** Whether it may go when others need its place. */
  get isIdle(): boolean {
    return this.splitter.isEmpty && this.underWay === 0 && this.socket.writableLength === 0;
  }
}
