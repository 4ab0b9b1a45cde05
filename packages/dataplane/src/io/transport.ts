import type { SendQueues } from './send-queues.ts';

/**
 * What the forwarding core needs of the operating system, and nothing more. Whoever implements it chooses how bytes
 * are read: into fresh buffers, or into one buffer per connection that is used again and again.
 *
 * The rule that makes both safe: bytes handed to `onData` belong to the receiver until `onData` returns, and until every
 * `write` made with them has drained. So a reader whose `write` returned false pauses the connection the bytes came
 * from and resumes it on `onDrain`. The receiver may overwrite bytes inside `[start, end)`, and
 * before `start` where nothing that it wrote is still in use.
 */
export interface Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  /**
   * Sends `buffer[start, end)`. True: carry on. False: the bytes are still in use; `onDrain` follows once.
   * Never throws: a broken connection shows in `onClose`.
   */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  pause(): void;
  resume(): void;
  /** Sends FIN after what was written; reading goes on. */
  shutdown(): void;
  /** Ends both directions; unsent bytes may be lost. Idempotent. */
  close(): void;
  /** Ends with RST, so that the peer cannot take what it got for complete. Idempotent. */
  abort(): void;
}

/** Callbacks of one connection: never concurrent, never from inside a call made on that connection. */
export interface ConnectionHandler {
  onData(buffer: Buffer, start: number, end: number): void;
  onDrain(): void;
  /** The peer will send no more. */
  onEnd(): void;
  /** Exactly once and last, also after `close` and `abort`. */
  onClose(error: NodeJS.ErrnoException | undefined): void;
}

export interface ConnectHandler extends ConnectionHandler {
  /** From here on the connection may be written to. */
  onConnect(): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  /** Where it really listens: port 0 was replaced. */
  readonly address: Address;
  /** Accepts no more; open connections stay. Resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

export interface Transport {
  /** For logs: which way of doing IO this is. */
  readonly name: string;
  /** Tells a slow peer from one that takes nothing. */
  readonly sendQueues: SendQueues;
  /** @throws the system's error (EADDRINUSE, EACCES, ...) when the address cannot be bound. */
  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
  ): Promise<Listener>;
  connect(address: Address, handler: ConnectHandler): Connection;
}
