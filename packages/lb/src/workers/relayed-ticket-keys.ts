import type { TicketKeys } from '../tls/ticket-keys.ts';

/** The key of TLS sessions as the balancer tells it: the same in all workers. */
export class RelayedTicketKeys implements TicketKeys {
  current: Buffer = Buffer.alloc(0);
  readonly #listeners = new Set<() => void>();

  set(key: Buffer): void {
    this.current = key;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
