import type { Address } from './transport.ts';

/** What the UDP plane needs from the operating system. The receiver owns the bytes that it gets. */
export interface Datagrams {
  /**
   * @throws the system's error (EADDRINUSE, EACCES, ...) when the address cannot be bound.
   */
  bind(address: Address, handler: DatagramHandler): Promise<DatagramListener>;
  /**
   * A separate socket connected to one address; a few datagrams sent before it is ready are queued.
   * @throws the system's error for an invalid port.
   */
  connect(address: Address, handler: PeerHandler): DatagramPeer;
}

/** Callbacks are never concurrent. */
export interface DatagramHandler {
  onDatagram(bytes: Buffer, address: string, port: number): void;
}

export interface PeerHandler {
  onReply(bytes: Buffer): void;
  /** The other side refuses (an ICMP message came back) or is unreachable. May be called more than once. */
  onError(code: string): void;
}

export interface DatagramListener {
  readonly address: Address;
  /** Never throws: a datagram that cannot be sent is lost, like any datagram. */
  send(bytes: Buffer, address: string, port: number): void;
  /** The port is free when this returns. Idempotent. */
  close(): void;
}

export interface DatagramPeer {
  /** Never throws. */
  send(bytes: Buffer): void;
  /** No callbacks after this. Idempotent. */
  close(): void;
}
