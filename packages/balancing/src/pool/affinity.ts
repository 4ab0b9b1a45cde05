/** Where a client is bound to. */
export interface Bond {
  /** Id of the endpoint that it went to. */
  readonly id: string;
  /** The instance behind it, for the other ports of the same service. */
  readonly instance: string;
}

interface Entry extends Bond {
  untilMs: number;
}

export interface AffinityOptions {
  /** How long a bond outlives the client's last connection, in ms. */
  readonly durationMs: number;
  /** The most clients remembered; beyond it the one that has been away for longest is forgotten. */
  readonly maxClients: number;
}

/**
 * Which endpoint each client of a service keeps coming back to. The time is passed in, in ms on any one monotonic
 * clock. Looks up and forgets in constant time: the map's order is the order of last use.
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

  /** The client's bond, renewed by this; undefined when it has none or it has run out. */
  renew(client: string, nowMs: number): Bond | undefined {
    const entry = this.#entries.get(client);
    if (entry === undefined) return undefined;
    this.#entries.delete(client);
    if (nowMs >= entry.untilMs) return undefined;
    entry.untilMs = nowMs + this.durationMs;
    this.#entries.set(client, entry);
    return entry;
  }

  /** Binds the client, in place of any bond that it had. */
  bind(client: string, { id, instance }: Bond, nowMs: number): void {
    this.#entries.delete(client);
    this.#entries.set(client, { id, instance, untilMs: nowMs + this.durationMs });
    for (const [oldest, { untilMs }] of this.#entries) {
      if (nowMs < untilMs && this.#entries.size <= this.#maxClients) break;
      this.#entries.delete(oldest);
    }
  }
}
