/** Both ends of a TCP connection. */
export interface SocketEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Bytes that were passed to the system for a connection and that the peer has not taken yet. */
export interface SendQueues {
  /**
   * Looks at all of them once and returns the lengths in the given order. -1 = unknown, because the connection is
   * closed or the system does not report it. Never rejects.
   */
  measure(connections: readonly SocketEnds[]): Promise<readonly number[]>;
}

/** For systems that do not report it. */
export const UNKNOWN_SEND_QUEUES: SendQueues = {
  measure: async (connections) => connections.map(() => -1),
};
