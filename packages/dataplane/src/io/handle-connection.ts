import { getSystemErrorName } from 'node:util';
import { afterwards, type HandleBindings, type TcpHandle } from './handle-bindings.ts';
import type { Connection, ConnectionHandler } from './transport.ts';

/** libuv's code for the end of a stream. */
const EOF = -4095;
/** Most connections carry little data: they start with a small buffer and get a large one after they have filled it. */
const FIRST_READ_BYTES = 8_192;
const READ_BYTES = 65_536;

/** Free space before the bytes read, so that a head can grow in place. */
const ROOM_BYTES = 192;

const NOTHING = Buffer.alloc(0);

interface SocketName {
  address?: string;
  port?: number;
}

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
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly #io: HandleBindings;
  readonly #handle: TcpHandle;
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

  constructor(io: HandleBindings, handle: TcpHandle) {
    this.#io = io;
    this.#handle = handle;
    const [peer, own]: [SocketName, SocketName] = [{}, {}];
    handle.getpeername(peer);
    handle.getsockname(own);
    this.remoteAddress = peer.address ?? '';
    this.localAddress = own.address ?? '';
    this.localPort = own.port ?? 0;
    this.remotePort = peer.port ?? 0;
  }

  /** Starts to read. */
  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#readInto(FIRST_READ_BYTES);
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
    if (!this.#io.wasAsync()) return true;
    this.#pendingWrites++;
    // The system reads from the buffer until the write is done.
    request.buffer = bytes;
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
    this.#handle.close(() => this.#over());
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
    if (this.#handle.reset(() => this.#over()) !== 0) this.#handle.close(() => this.#over());
  }

  #readInto(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(ROOM_BYTES + bytes);
    this.#handle.useUserBuffer(this.#buffer.subarray(ROOM_BYTES));
  }

  #onRead(length: number): void {
    if (this.#isClosed || length === 0) return;
    if (length > 0) {
      const buffer = this.#buffer;
      // Writes may still use the small buffer, so the large one replaces it now.
      const isFull = ROOM_BYTES + length === buffer.length;
      if (isFull && length === FIRST_READ_BYTES) this.#readInto(READ_BYTES);
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

  #over(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onClose(this.#failure);
  }
}
