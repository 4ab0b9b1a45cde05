import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  Listener,
  Transport,
} from './transport.ts';

class NetConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
  }

  attach(handler: ConnectionHandler): void {
    const socket = this.#socket;
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('data', (chunk: Buffer) => handler.onData(chunk, 0, chunk.length));
    socket.on('drain', () => handler.onDrain());
    socket.on('end', () => handler.onEnd());
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => handler.onClose(failure));
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    const isWhole = start === 0 && end === buffer.length;
    return socket.write(isWhole ? buffer : buffer.subarray(start, end));
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
    this.#socket.destroy();
  }

  abort(): void {
    const socket = this.#socket;
    if (socket.connecting) socket.destroy();
    else if (isEnding(socket)) socket.once('finish', reset);
    else reset.call(socket);
  }
}

function reset(this: Socket): void {
  if (!this.destroyed) this.resetAndDestroy();
}

/**
 * Whether its FIN is being sent at this moment. Then the system refuses to reset it, and a socket of Node.js on which
 * that was tried never closes.
 */
function isEnding(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}

export interface NetTransportOptions {
  /**
   * Silence after which the system asks whether the other side is still there, in ms; 0: it never asks. For planes
   * without idle timeouts, where a peer that vanished would be waited for without end. @default 0
   */
  readonly keepAliveMs?: number;
}

/** The public `net` API: works on every Node.js, and is what faster ways fall back to. */
export class NetTransport implements Transport {
  readonly name = 'net';
  readonly #options: { noDelay: true; keepAlive: boolean; keepAliveInitialDelay: number };

  constructor({ keepAliveMs = 0 }: NetTransportOptions = {}) {
    const keepAlive = { keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs };
    this.#options = { noDelay: true, ...keepAlive };
  }

  async listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
  ): Promise<Listener> {
    const server = createServer({ ...this.#options, allowHalfOpen: true }, (socket) => {
      // Gone between accept and here: its addresses are no longer known.
      if (socket.remoteAddress === undefined) {
        socket.on('error', () => {});
        socket.destroy();
        return;
      }
      const connection = new NetConnection(socket);
      connection.attach(accept(connection));
    });
    server.listen({ host: address.host, port: address.port, backlog: 4096 });
    await once(server, 'listening');
    server.on('error', () => {});
    const bound = server.address() as AddressInfo;
    let closed: Promise<void> | undefined;
    return {
      address: { host: bound.address, port: bound.port },
      close() {
        closed ??= new Promise<void>((resolve) => {
          // The callback of close() would wait for every open connection; the port is free right away.
          server.close();
          resolve();
        });
        return closed;
      },
    };
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    const socket = connect({
      host: address.host,
      port: address.port,
      ...this.#options,
      allowHalfOpen: true,
    });
    socket.once('connect', () => handler.onConnect());
    const connection = new NetConnection(socket);
    connection.attach(handler);
    return connection;
  }
}
