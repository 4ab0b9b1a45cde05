/** The endpoint that a client is bound to. */
export interface Bond {
  /** Id of the endpoint that the client used. */
  readonly id: string;
  /** The instance of that endpoint, for the other ports of the same service. */
  readonly instance: string;
}

interface Entry extends Bond {
  untilMs: number;
}

export interface AffinityOptions {
  /** How long a bond lasts after the client's last connection, in ms. */
  readonly durationMs: number;
  /** Maximum number of remembered clients; beyond it, the least recently seen client is forgotten. */
  readonly maxClients: number;
}

/**
 * Remembers which endpoint each client of a service returns to. The caller passes the time, in ms on one monotonic
 * clock. Lookup and removal take constant time: the map is ordered by last use.
 */
export class Affinity {
  readonly durationMs: number;
  readonly #maxClients: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ durationMs, maxClients }: AffinityOptions) {
    this.durationMs = durationMs;
    this.#maxClients = maxClients;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns and renews the client's bond; undefined when it has none or it has expired. */
  renewBond(client: string, nowMs: number): Bond | undefined {
    const entry = this.#entries.get(client);
    if (entry === undefined) return undefined;
    this.#entries.delete(client);
    if (nowMs >= entry.untilMs) return undefined;
    entry.untilMs = nowMs + this.durationMs;
    this.#entries.set(client, entry);
    return entry;
  }

  /** Binds the client, replacing any earlier bond. */
  pin(client: string, { id, instance }: Bond, nowMs: number): void {
    this.#entries.delete(client);
    this.#entries.set(client, { id, instance, untilMs: nowMs + this.durationMs });
    for (const [oldest, { untilMs }] of this.#entries) {
      if (nowMs < untilMs && this.#entries.size <= this.#maxClients) break;
      this.#entries.delete(oldest);
    }
  }
}
