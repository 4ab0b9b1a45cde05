import type { SocketHandle } from './handle-bindings.ts';
import type { SendQueues } from './send-queues.ts';
import type { TlsSession } from './tls-session.ts';

/**
 * What the forwarding core needs from the operating system, and nothing more. An implementation chooses how bytes are
 * read: into new buffers, or into one reused buffer per connection.
 *
 * One rule makes both safe: the receiver owns the bytes passed to `onData` until `onData` returns and until every
 * `write` made with them has drained. So when `write` returns false, the reader pauses the connection that the bytes
 * came from and resumes it on `onDrain`. The receiver may overwrite bytes inside `[start, end)`, and before `start`
 * where nothing that it wrote is still in use.
 */
export interface Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** What the TLS handshake established; absent: the bytes are not encrypted. */
  readonly tls?: TlsSession;
  /**
   * Sends `buffer[start, end)`. True: continue. False: the bytes are still in use; `onDrain` follows once. Never
   * throws: a broken connection is reported by `onClose`.
   */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  pause(): void;
  resume(): void;
  /** Sends FIN after the written bytes; reading continues. */
  shutdown(): void;
  /** Ends both directions; unsent bytes may be lost. Idempotent. */
  close(): void;
  /** Ends with RST, so that the peer cannot mistake what it received for complete. Idempotent. */
  abort(): void;
}

/** Callbacks of one connection are never concurrent, and never run inside a call made on that connection. */
export interface ConnectionHandler {
  onData(buffer: Buffer, start: number, end: number): void;
  onDrain(): void;
  /** The peer will send no more. */
  onEnd(): void;
  /** Called exactly once and last, also after `close` and `abort`. */
  onClose(error: NodeJS.ErrnoException | undefined): void;
}

export interface ConnectHandler extends ConnectionHandler {
  /** From here on, bytes may be written. */
  onConnect(): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where to listen. */
export interface ListenAddress extends Address {
  /** A socket that listens already, such as one that systemd passed; then host and port do not matter. */
  readonly fd?: number | undefined;
  /** A socket that another process has bound and sent; then nothing else matters. */
  readonly socket?: SocketHandle | undefined;
}

export interface Listener {
  /** The bound address: port 0 is replaced by the real port. */
  readonly address: Address;
  /**
   * Accepts no more connections; open ones stay. Resolves when the port is free and no handshake is under way.
   * Idempotent.
   */
  close(): Promise<void>;
}

/** Takes connections from clients. */
export interface Acceptor {
  /**
   * `hasRoom`: whether one more connection would be served, besides those whose handshake is under way. An acceptor
   * that has to do a handshake first asks it once for each connection, before that.
   * @throws the system's error (EADDRINUSE, EACCES, ...) when the address cannot be bound.
   */
  listen(
    address: ListenAddress,
    accept: (connection: Connection) => ConnectionHandler,
    hasRoom?: (handshakes: number) => boolean,
  ): Promise<Listener>;
}

/** Makes connections to targets. */
export interface Connector {
  connect(address: Address, handler: ConnectHandler): Connection;
}

export interface Transport extends Acceptor, Connector {
  /** Name of the implementation, for logs. */
  readonly name: string;
  /** Distinguishes a slow peer from one that takes nothing. */
  readonly sendQueues: SendQueues;
}
