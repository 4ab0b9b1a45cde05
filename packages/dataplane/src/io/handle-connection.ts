import { getSystemErrorName } from 'node:util';
import { afterwards, type HandleBindings, type TcpHandle } from './handle-bindings.ts';
import type { ClosedQueue } from './closed-queue.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Connection, ConnectionHandler } from './transport.ts';

/** libuv's code for the end of a stream. */
const EOF = -4095;
/** Most connections carry little data: they get a larger buffer after they have filled their first one. */
const READ_BYTES = 65_536;

/** Free space before the bytes read, so that a head can grow in place. */
const ROOM_BYTES = 192;

const NOTHING = Buffer.alloc(0);

/** One end of a connection. */
export interface SocketName {
  address?: string;
  port?: number;
}

/** What all connections of a transport share. */
export interface HandleParts {
  readonly io: HandleBindings;
  /** Each with room before its first byte. */
  readonly buffers: ReadBuffers;
  readonly closed: ClosedQueue;
}

/** Length of a first read buffer. */
export const FIRST_BUFFER_BYTES = ROOM_BYTES + 8_192;

/** The system's error in Node.js form. */
export function systemError(code: number, syscall: string): NodeJS.ErrnoException {
  const name = getSystemErrorName(code);
  return Object.assign(new Error(`${syscall} ${name}`), { code: name, errno: code, syscall });
}

/**
 * One connection on a bare TCP handle: bytes arrive in one buffer that is reused, and writes go to the system in the
 * same turn. It avoids Node.js streams, which cost more than the rest of a small exchange.
 */
export class HandleConnection implements Connection {
  readonly #io: HandleBindings;
  readonly #buffers: ReadBuffers;
  readonly #closed: ClosedQueue;
  readonly #handle: TcpHandle;
  #peer: SocketName | undefined;
  #own: SocketName | undefined;
  #handler: ConnectionHandler | undefined;
  #buffer: Buffer = NOTHING;
  #pendingWrites = 0;
  #isReading = false;
  #isPaused = false;
  #hasEnded = false;
  #isShutDown = false;
  #isSendingEnd = false;
  #hasSentEnd = false;
  #isClosed = false;
  #isAborted = false;
  #failure: NodeJS.ErrnoException | undefined;

  /** `own`: this end, if it is known. */
  constructor({ io, buffers, closed }: HandleParts, handle: TcpHandle, own?: SocketName) {
    this.#io = io;
    this.#buffers = buffers;
    this.#closed = closed;
    this.#handle = handle;
    this.#own = own;
  }

  // Asking the system takes as long as parsing a head, and many connections need neither end.

  get remoteAddress(): string {
    return this.#peerName.address ?? '';
  }

  get remotePort(): number {
    return this.#peerName.port ?? 0;
  }

  get localAddress(): string {
    return this.#ownName.address ?? '';
  }

  get localPort(): number {
    return this.#ownName.port ?? 0;
  }

  get #peerName(): SocketName {
    if (this.#peer === undefined) this.#handle.getpeername((this.#peer = {}));
    return this.#peer;
  }

  get #ownName(): SocketName {
    if (this.#own === undefined) this.#handle.getsockname((this.#own = {}));
    return this.#own;
  }

  /** Starts to read. */
  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#readInto(this.#buffers.take());
    this.#handle.onread = () => this.#onRead(this.#io.lastRead());
    // The handler may have paused the connection already.
    if (!this.#isPaused) this.resume();
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#isClosed || this.#isShutDown) return true;
    const isWhole = start === 0 && end === buffer.length;
    const bytes = isWhole ? buffer : buffer.subarray(start, end);
    const request = this.#io.createWrite();
    const status = this.#handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#fail(systemError(status, 'write'));
      return true;
    }
    if (!this.#io.wasAsync()) {
      this.#io.spareWrite(request);
      return true;
    }
    this.#pendingWrites++;
    // The system reads from the buffer until the write is done.
    request.buffer = bytes;
    this.#buffers.lend(bytes);
    request.oncomplete = (result) => this.#onWritten(result);
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isReading || this.#isClosed || this.#hasEnded || this.#handler === undefined) return;
    this.#isReading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail(systemError(status, 'read'));
  }

  shutdown(): void {
    if (this.#isShutDown || this.#isClosed) return;
    this.#isShutDown = true;
    // A shutdown requested while bytes are pending would block a later reset.
    if (this.#pendingWrites === 0) this.#sendEnd();
  }

  #sendEnd(): void {
    this.#isSendingEnd = true;
    const request = this.#io.createShutdown();
    request.oncomplete = () => this.#onEndSent();
    // If the peer has already closed the connection, there is nothing to send to it.
    if (this.#handle.shutdown(request) !== 0) afterwards(() => this.#onEndSent());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReading = false;
    this.#handle.close();
    this.#closed.add(this);
  }

  abort(): void {
    if (this.#isClosed || this.#isAborted) return;
    this.#isAborted = true;
    // While the FIN is being sent, the system refuses to reset the connection.
    if (this.#isSendingEnd && !this.#hasSentEnd) return;
    this.#reset();
  }

  #reset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReading = false;
    if (this.#handle.reset(() => this.onClosed()) === 0) return;
    this.#handle.close();
    this.#closed.add(this);
  }

  #readInto(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#handle.useUserBuffer(buffer.subarray(ROOM_BYTES));
  }

  #onRead(length: number): void {
    if (this.#isClosed || length === 0) return;
    if (length > 0) {
      const buffer = this.#buffer;
      // Writes may still use the small buffer, so the large one replaces it now.
      const isFull = ROOM_BYTES + length === buffer.length;
      if (isFull && buffer.length === FIRST_BUFFER_BYTES)
        this.#readInto(Buffer.allocUnsafeSlow(ROOM_BYTES + READ_BYTES));
      this.#handler?.onData(buffer, ROOM_BYTES, ROOM_BYTES + length);
      return;
    }
    if (length !== EOF) {
      this.#fail(systemError(length, 'read'));
      return;
    }
    this.#hasEnded = true;
    this.pause();
    this.#handler?.onEnd();
    if (this.#hasSentEnd) this.close();
  }

  #onWritten(status: number): void {
    this.#pendingWrites--;
    if (this.#isClosed) return;
    if (status < 0) this.#fail(systemError(status, 'write'));
    else if (this.#pendingWrites === 0) {
      if (this.#isShutDown) this.#sendEnd();
      this.#handler?.onDrain();
    }
  }

  #onEndSent(): void {
    this.#hasSentEnd = true;
    if (this.#isAborted) this.#reset();
    else if (this.#hasEnded) this.close();
  }

  /** Reported after the current code has finished, never from inside a call. */
  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= error;
    this.close();
  }

  /** The system has closed it. */
  onClosed(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onClose(this.#failure);
    this.#buffers.giveBack(this.#buffer);
    this.#buffer = NOTHING;
  }
}
