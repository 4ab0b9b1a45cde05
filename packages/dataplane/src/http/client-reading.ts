import type { Connection } from '../io/transport.ts';

/** Whether a client's connection is read: not while its bytes are held back, or were read before their turn. */
export class ClientReading {
  isPaused = false;
  /** The target takes no more bytes of the request's body. */
  isHeldByUpstream = false;
  /** Its source has used its bytes for now. */
  isHeldBySource = false;
  readonly #connection: Connection;
  /** Bytes of requests that arrived before the current request was answered. */
  #ahead: Buffer | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  keepAhead(buffer: Buffer, start: number, end: number): void {
    const piece = buffer.subarray(start, end);
    this.#ahead = this.#ahead === null ? Buffer.from(piece) : Buffer.concat([this.#ahead, piece]);
  }

  get hasAhead(): boolean {
    return this.#ahead !== null;
  }

  takeAhead(): Buffer | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead;
  }

  /** Pauses or resumes the connection as it must be now. @returns whether that changed anything. */
  settle(): boolean {
    const isPaused = this.isHeldByUpstream || this.isHeldBySource || this.#ahead !== null;
    if (isPaused === this.isPaused) return false;
    this.isPaused = isPaused;
    if (isPaused) this.#connection.pause();
    else this.#connection.resume();
    return true;
  }
}
