import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemError } from '../handle-connection.ts';
import { afterwards } from '../handle-bindings.ts';
import { lendBytes } from '../read-buffers.ts';
import type { TlsSession } from '../tls-session.ts';
import type { Connection, ConnectionHandler } from '../transport.ts';
import type { StreamHandle, TlsBindings, TlsHandle } from './tls-bindings.ts';

/** libuv's code for the end of a stream. */
const EOF = -4095;
/** Most connections carry little data; one that fills its buffer gets one for a whole record. */
const FIRST_READ_BYTES = 4_096;
const READ_BYTES = 16_384;
/** Free space before the bytes read, so that a head can grow in place. */
const ROOM_BYTES = 192;
const NOTHING = Buffer.alloc(0);
/** A larger write may be encrypted and sent in several steps. */
const ONE_STEP_BYTES = 16_384;

/**
 * One connection after its TLS handshake, on the objects below Node.js's streams. Encrypting copies the bytes, so a write
 * whose result the system took at once is done at once.
 */
export class TlsHandleConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly tls: TlsSession;
  readonly #io: TlsBindings;
  readonly #socket: TLSSocket;
  readonly #raw: Socket;
  readonly #handle: TlsHandle;
  readonly #tcp: StreamHandle;
  #handler: ConnectionHandler | undefined;
  #buffer: Buffer = NOTHING;
  /** Writes that wait for the one in progress: TLS takes one at a time. */
  readonly #queue: Uint8Array[] = [];
  #isWriting = false;
  /** A write returned false, so `onDrain` must follow. */
  #owesDrain = false;
  /** What arrived after reading was paused: the rest of what had been received by then. */
  readonly #held: Buffer[] = [];
  #isPaused = false;
  #isDelivering = false;
  #hasEnded = false;
  #hasSaidEnd = false;
  #isShutDown = false;
  #isSendingEnd = false;
  #hasSentEnd = false;
  #isClosed = false;
  #isAborted = false;
  #failure: NodeJS.ErrnoException | undefined;
  readonly #onWritten = (status: number): void => this.#written(status);

  constructor(io: TlsBindings, socket: TLSSocket, raw: Socket, session: TlsSession) {
    this.#io = io;
    this.#socket = socket;
    this.#raw = raw;
    const { tls, tcp } = io.handlesOf(socket);
    this.#handle = tls;
    this.#tcp = tcp;
    this.tls = session;
    this.remoteAddress = raw.remoteAddress ?? '';
    this.remotePort = raw.remotePort ?? 0;
    this.localAddress = raw.localAddress ?? '';
    this.localPort = raw.localPort ?? 0;
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#over());
    this.#handle.useUserBuffer(this.#nextBuffer(FIRST_READ_BYTES));
    this.#handle.onread = () => this.#onRead(this.#io.lastRead());
    if (!this.#isPaused) this.#handle.readStart();
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#isClosed || this.#isShutDown || start === end) return true;
    const isWhole = start === 0 && end === buffer.length;
    const bytes = isWhole ? buffer : buffer.subarray(start, end);
    if (!this.#isWriting) {
      if (this.#send(bytes)) return true;
    } else {
      this.#queue.push(bytes);
    }
    this.#owesDrain = true;
    lendBytes(bytes);
    return false;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#handle.readStop();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isClosed || this.#handler === undefined) return;
    if (this.#held.length === 0 && !this.#hasEnded) {
      this.#handle.readStart();
    } else if (!this.#isDelivering) {
      this.#isDelivering = true;
      afterwards(() => this.#deliver());
    }
  }

  shutdown(): void {
    if (this.#isShutDown || this.#isClosed) return;
    this.#isShutDown = true;
    if (!this.#isWriting) this.#sendEnd();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const socket = this.#socket;
    // Says that nothing was cut off (close_notify), if that needs no waiting.
    const isIdle = !this.#isWriting && !this.#isSendingEnd && !socket.destroyed;
    if (isIdle) this.#handle.shutdown(this.#io.createShutdown());
    socket.destroy();
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
    this.#raw.resetAndDestroy();
  }

  /** True: the system has all of the encrypted bytes. */
  #send(bytes: Uint8Array): boolean {
    const handle = this.#handle;
    // TLS itself may be sending something, such as the tickets after a handshake.
    const isIdle = handle.writeQueueSize === 0;
    const request = this.#io.createWrite();
    request.oncomplete = this.#onWritten;
    const status = handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#fail(systemError(status, 'write'));
      return true;
    }
    this.#isWriting = true;
    return isIdle && bytes.length <= ONE_STEP_BYTES && this.#tcp.writeQueueSize === 0;
  }

  #written(status: number): void {
    this.#isWriting = false;
    if (this.#isClosed) return;
    if (status < 0) {
      this.#fail(systemError(status, 'write'));
      return;
    }
    if (this.#queue.length > 0) {
      this.#sendQueue();
      return;
    }
    if (this.#isShutDown) this.#sendEnd();
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.#handler?.onDrain();
  }

  /** All in one write: several would need a turn of the event loop and a system call each. */
  #sendQueue(): void {
    const queue = this.#queue.splice(0);
    const [first] = queue;
    if (first !== undefined) this.#send(queue.length === 1 ? first : Buffer.concat(queue));
  }

  #sendEnd(): void {
    if (this.#socket.destroyed) return;
    this.#isSendingEnd = true;
    const request = this.#io.createShutdown();
    request.oncomplete = () => this.#onEndSent();
    // If the peer has already closed the connection, there is nothing to send to it.
    if (this.#handle.shutdown(request) !== 0) afterwards(() => this.#onEndSent());
  }

  #onEndSent(): void {
    this.#hasSentEnd = true;
    if (this.#isAborted) this.#reset();
    else if (this.#hasSaidEnd) this.close();
  }

  /** Returns the buffer for what comes next, if it is another one. */
  #onRead(length: number): Uint8Array | undefined {
    if (this.#isClosed || length === 0) return undefined;
    if (length < 0) {
      this.#onReadEnd(length);
      return undefined;
    }
    const buffer = this.#buffer;
    const end = ROOM_BYTES + length;
    const isFull = end === buffer.length;
    if (this.#isPaused || this.#isDelivering) {
      this.#held.push(Buffer.from(buffer.subarray(ROOM_BYTES, end)));
      return undefined;
    }
    this.#handler?.onData(buffer, ROOM_BYTES, end);
    // Paused: its bytes are still in use, and more may come of what has been received already.
    if (this.#isPaused || (isFull && length < READ_BYTES)) {
      return this.#nextBuffer(isFull ? READ_BYTES : buffer.length - ROOM_BYTES);
    }
    return undefined;
  }

  #nextBuffer(bytes: number): Uint8Array {
    this.#buffer = Buffer.allocUnsafeSlow(ROOM_BYTES + bytes);
    return this.#buffer.subarray(ROOM_BYTES);
  }

  #onReadEnd(code: number): void {
    if (code !== EOF) {
      this.#fail(systemError(code, 'read'));
      return;
    }
    this.#hasEnded = true;
    if (!this.#isPaused && !this.#isDelivering) this.#sayEnd();
  }

  /** What was held, until reading is paused again. */
  #deliver(): void {
    while (!this.#isPaused && !this.#isClosed) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#handler?.onData(bytes, 0, bytes.length);
    }
    this.#isDelivering = false;
    if (this.#isPaused || this.#isClosed) return;
    if (this.#hasEnded) this.#sayEnd();
    else this.#handle.readStart();
  }

  #sayEnd(): void {
    if (this.#hasSaidEnd) return;
    this.#hasSaidEnd = true;
    this.#handler?.onEnd();
    if (this.#hasSentEnd) this.close();
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= error;
    this.close();
  }

  #over(): void {
    this.#isClosed = true;
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onClose(this.#failure);
  }
}
