import type { RenewOutcome } from '../store.ts';

/** Sends one batch of leases to the store. Resolves with the `{ unknown, superseded }` ids of that batch. */
export type SendRenewals = (leases: readonly string[], floor: number) => Promise<RenewOutcome>;

interface Waiting {
  readonly leases: readonly string[];
  readonly resolve: (outcome: RenewOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const BATCH = 1_000;
const IN_FLIGHT = 2;
const NONE: RenewOutcome = Object.freeze({ unknown: [], superseded: [] });

/**
 * Collects the heartbeats that arrive while earlier ones are under way, and sends them in one script call of at most
 * 1,000 ids. One script call per heartbeat costs the store about six times the processor time.
 */
export class RenewalQueue {
  readonly #send: SendRenewals;
  #waiting: Waiting[] = [];
  #floor = 0;
  #inFlight = 0;
  #isScheduled = false;

  constructor(send: SendRenewals) {
    this.#send = send;
  }

  /** Resolves once the store has renewed the leases. Rejects with the error of the store. */
  renew(leases: readonly string[], floor: number): Promise<RenewOutcome> {
    return new Promise((resolve, reject) => {
      this.#floor = Math.max(this.#floor, floor);
      this.#waiting.push({ leases, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < IN_FLIGHT) {
      const taken = this.#take();
      this.#inFlight++;
      void this.#sendAll(taken).finally(() => {
        this.#inFlight--;
        this.#flush();
      });
    }
  }

  /** As many waiting calls as fit into one batch. A call larger than a batch is taken alone and sent in several. */
  #take(): Waiting[] {
    let size = 0;
    let count = 0;
    for (const { leases } of this.#waiting) {
      if (count > 0 && size + leases.length > BATCH) break;
      size += leases.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #sendAll(taken: readonly Waiting[]): Promise<void> {
    try {
      const all =
        taken.length === 1 ? (taken[0] as Waiting).leases : taken.flatMap((w) => w.leases);
      const parts: RenewOutcome[] = [];
      for (let from = 0; from < all.length; from += BATCH) {
        parts.push(await this.#send(all.slice(from, from + BATCH), this.#floor));
      }
      const unknown = new Set(parts.flatMap((part) => part.unknown));
      const superseded = new Set(parts.flatMap((part) => part.superseded));
      const isClean = unknown.size === 0 && superseded.size === 0;
      for (const { leases, resolve } of taken) {
        resolve(
          isClean
            ? NONE
            : {
                unknown: leases.filter((lease) => unknown.has(lease)),
                superseded: leases.filter((lease) => superseded.has(lease)),
              },
        );
      }
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }
}
