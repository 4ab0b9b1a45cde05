import type { Socket } from 'node:net';
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
  /** Accepts no more; what is open stays. Resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

/** Where the connections of one listener go. The object is its identity. */
export interface Arrivals {
  accept(connection: Connection): ConnectionHandler;
  /** Whether one more connection would be served, besides those whose handshake is under way. Asked once for each. */
  hasRoom(handshakes: number): boolean;
}

/**
 * Does a handshake with each connection before it is served. One may serve several listeners: it does not listen itself.
 */
export interface Handshaker {
  /** Takes a connection over. It is passed on when its handshake is complete. */
  take(raw: Socket, arrivals: Arrivals): void;
  /** Number of handshakes of this listener that are neither complete nor failed. */
  underWayOf(arrivals: Arrivals): number;
  /** Resolves when none of this listener is under way. */
  settled(arrivals: Arrivals): Promise<void>;
  /** Ends those of this listener that are under way. */
  giveUp(arrivals: Arrivals): void;
}

/** A listener for connections. */
export interface ConnectionListener extends Listener {
  /** New connections do this handshake first; undefined: none. Those that are open, or in a handshake, keep theirs. */
  secure(handshaker: Handshaker | undefined): void;
  /** Number of handshakes under way with connections that came here. */
  readonly handshakes: number;
  /** Resolves when no such handshake is under way. */
  settled(): Promise<void>;
  giveUpHandshakes(): void;
}

export interface ListenOptions {
  /** What connections do first. @default nothing */
  readonly handshaker?: Handshaker | undefined;
  /**
   * Whether one more connection would be served, besides those whose handshake is under way. Asked once for each
   * connection, before its handshake. @default always
   */
  readonly hasRoom?: (handshakes: number) => boolean;
}

/** Makes connections to targets. */
export interface Connector {
  connect(address: Address, handler: ConnectHandler): Connection;
}

export interface Transport extends Connector {
  /**
   * Takes connections from clients.
   * @throws the system's error (EADDRINUSE, EACCES, ...) when the address cannot be bound.
   */
  listen(
    address: ListenAddress,
    accept: (connection: Connection) => ConnectionHandler,
    options?: ListenOptions,
  ): Promise<ConnectionListener>;
  /** Name of the implementation, for logs. */
  readonly name: string;
  /** Distinguishes a slow peer from one that takes nothing. */
  readonly sendQueues: SendQueues;
}
