import { type Socket, connect, createServer } from 'node:net';
import { lendBytes } from './read-buffers.ts';
import { ServerListener } from './server-listener.ts';
import { startListening } from './start-listening.ts';
import { systemSendQueues } from './proc-send-queues.ts';
import type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  ConnectionListener,
  ListenAddress,
  ListenOptions,
  Transport,
} from './transport.ts';

const NOTHING = new Uint8Array(0);

class NetConnection implements Connection {
  remoteAddress = '';
  localAddress = '';
  localPort = 0;
  remotePort = 0;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;
  #isBlocked = false;
  readonly #onDrain = (error?: Error | null): void => {
    if (!this.#isBlocked || this.#socket.writableLength > 0 || this.#socket.destroyed) return;
    if (error !== undefined && error !== null) return;
    this.#isBlocked = false;
    this.#handler?.onDrain();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    this.noteEnds();
  }

  /** Both addresses are known only after the connect. */
  noteEnds(): void {
    const socket = this.#socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
  }

  attach(handler: ConnectionHandler): void {
    const socket = this.#socket;
    this.#handler = handler;
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('data', (chunk: Buffer) => handler.onData(chunk, 0, chunk.length));
    socket.on('drain', () => this.#onDrain());
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
    const isFlowing = socket.write(isWhole ? buffer : buffer.subarray(start, end));
    if (isFlowing && socket.writableLength === 0) return true;
    this.#isBlocked = true;
    lendBytes(buffer);
    // Few enough to continue, but not passed to the system yet: closing now would lose them.
    if (isFlowing) socket.write(NOTHING, this.#onDrain);
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
 * Whether its FIN is being sent right now. Then the system refuses a reset, and a Node.js socket on which
 * a reset was tried never closes.
 */
function isEnding(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}

export interface NetTransportOptions {
  /**
   * Idle time after which the system probes whether the peer still exists (TCP keep-alive), in ms; 0 = never. For
   * planes without idle timeouts, which would otherwise wait forever for a vanished peer. @default 0
   */
  readonly keepAliveMs?: number;
}

/** The public `net` API: works on every Node.js and is the fallback of faster transports. */
export class NetTransport implements Transport {
  readonly name = 'net';
  readonly sendQueues = systemSendQueues;
  readonly #options: { noDelay: true; keepAlive: boolean; keepAliveInitialDelay: number };

  constructor({ keepAliveMs = 0 }: NetTransportOptions = {}) {
    const keepAlive = { keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs };
    this.#options = { noDelay: true, ...keepAlive };
  }

  async listen(
    address: ListenAddress,
    accept: (connection: Connection) => ConnectionHandler,
    { handshaker, hasRoom = () => true }: ListenOptions = {},
  ): Promise<ConnectionListener> {
    const server = createServer({ ...this.#options, allowHalfOpen: true });
    await startListening(server, address);
    const onPlain = (socket: Socket): void => {
      // Closed between accept and here: its addresses are no longer known.
      if (socket.remoteAddress === undefined) {
        socket.on('error', () => {});
        socket.destroy();
        return;
      }
      const connection = new NetConnection(socket);
      connection.attach(accept(connection));
    };
    return new ServerListener(server, { arrivals: { accept, hasRoom }, handshaker, onPlain });
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    const socket = connect({
      host: address.host,
      port: address.port,
      ...this.#options,
      allowHalfOpen: true,
    });
    const connection = new NetConnection(socket);
    socket.once('connect', () => {
      connection.noteEnds();
      handler.onConnect();
    });
    connection.attach(handler);
    return connection;
  }
}
