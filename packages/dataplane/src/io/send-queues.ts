/** Both ends of a TCP connection. */
export interface SocketEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Bytes that were handed to the system for a connection and that the peer has not taken. */
export interface SendQueues {
  /**
   * Looks once for all of them; the answers stand in the order asked for. -1: not known, because the connection is over
   * or because this system does not say. Never rejects.
   */
  read(connections: readonly SocketEnds[]): Promise<readonly number[]>;
}

/** For systems that do not tell. */
export const UNKNOWN_SEND_QUEUES: SendQueues = {
  read: async (connections) => connections.map(() => -1),
};
