/** Asks somebody else about the names that are not ours. */
export interface Forwarder {
  /**
   * Sends a query on as it is, by the transport by which it came, and calls back once with the answer under the
   * query's own id; with undefined when none came in time or too many queries are under way.
   */
  ask(message: Buffer, transport: Transport, done: (answer: Buffer | undefined) => void): void;
  /** What is under way is answered by nothing. Twice without harm. */
  close(): void;
}

export type Transport = 'udp' | 'tcp';
