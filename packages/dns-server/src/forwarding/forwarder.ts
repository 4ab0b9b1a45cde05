/** Asks another server about names outside this server's zone. */
export interface Forwarder {
  /**
   * Forwards a query unchanged, over the transport that it came by, and calls back once with the answer under the
   * query's own id; with undefined when no answer came in time or too many queries are in progress.
   */
  ask(message: Buffer, transport: Transport, done: (answer: Buffer | undefined) => void): void;
  /** Queries in progress get no answer. Safe to call twice. */
  close(): void;
}

export type Transport = 'udp' | 'tcp';
