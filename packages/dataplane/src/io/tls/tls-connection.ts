import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { lendBytes } from '../read-buffers.ts';
import type { TlsSession } from '../tls-session.ts';
import type { Connection, ConnectionHandler } from '../transport.ts';

/**
 * One connection after its TLS handshake, over the public API. `raw` is the TCP socket beneath, which alone can be
 * reset.
 */
export class TlsConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly tls: TlsSession;
  readonly #socket: TLSSocket;
  readonly #raw: Socket;
  #handler: ConnectionHandler | undefined;
  #pendingWrites = 0;
  readonly #onWritten = (error?: Error | null): void => {
    this.#pendingWrites--;
    if (this.#pendingWrites > 0 || this.#socket.destroyed) return;
    if (error === undefined || error === null) this.#handler?.onDrain();
  };

  constructor(socket: TLSSocket, raw: Socket, session: TlsSession) {
    this.#socket = socket;
    this.#raw = raw;
    this.tls = session;
    this.remoteAddress = raw.remoteAddress ?? '';
    this.remotePort = raw.remotePort ?? 0;
    this.localAddress = raw.localAddress ?? '';
    this.localPort = raw.localPort ?? 0;
  }

  attach(handler: ConnectionHandler): void {
    const socket = this.#socket;
    this.#handler = handler;
    // Not before the handshake is complete: whoever ends one has gone.
    socket.allowHalfOpen = true;
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('data', (chunk: Buffer) => handler.onData(chunk, 0, chunk.length));
    socket.on('end', () => handler.onEnd());
    socket.on('error', (error) => {
      failure ??= error;
      // Faults of TLS itself leave it open.
      socket.destroy();
    });
    socket.on('close', () => handler.onClose(failure));
  }

  /** Always false: a write is reported as done only in a later turn, when its encrypted bytes are with the system. */
  write(buffer: Uint8Array, start: number, end: number): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    const isWhole = start === 0 && end === buffer.length;
    this.#pendingWrites++;
    lendBytes(buffer);
    socket.write(isWhole ? buffer : buffer.subarray(start, end), this.#onWritten);
    return false;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  shutdown(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    // Says that nothing was cut off (close_notify), if that needs no waiting.
    if (socket.writable && socket.writableLength === 0) socket.end();
    socket.destroy();
  }

  abort(): void {
    const raw = this.#raw;
    if (this.#isEnding()) this.#socket.once('finish', () => reset(raw));
    else reset(raw);
  }

  /** While the FIN is being sent, the system refuses a reset. */
  #isEnding(): boolean {
    const { writableEnded, writableFinished, writableLength } = this.#socket;
    return writableEnded && !writableFinished && writableLength === 0;
  }
}

function reset(raw: Socket): void {
  if (!raw.destroyed) raw.resetAndDestroy();
}
