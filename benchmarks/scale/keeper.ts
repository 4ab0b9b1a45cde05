import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from './host.ts';
import { instanceId, pathOf, registrationOf, serviceOf } from './roll-names.ts';
import { emptyTally, type Tally } from './tally.ts';

/** Counters shared by all keepers. */
export class Beats {
  registered = emptyTally();
  batches = emptyTally();
  singles = emptyTally();
  /** Number of leases renewed. */
  renewed = 0;
  /** Leases that the registry reported as unknown or superseded: an instance was evicted. */
  lost = 0;
}

export interface KeeperOptions {
  readonly port: number;
  readonly number: number;
  /** Numbers of the instances that it keeps. */
  readonly instances: readonly number[];
  readonly services: number;
  readonly ttlMs: number;
  readonly beats: Beats;
}

/** Pause before a refused or failed call is retried, in ms. */
const RETRY_MS = 1_000;

/**
 * A client that keeps instances on the roll like the SDK: one connection, and all its leases in one call. With a single
 * instance it behaves like a loop around curl: a new connection and PUT /v1/leases/{lease} each time.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #host: Host;
  readonly #isSingle: boolean;
  /** The instance of each lease. */
  readonly #leases = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { port, number, instances } = options;
    this.#isSingle = instances.length === 1;
    this.#host = new Host({ port, number, isFresh: this.#isSingle });
  }

  /** Registers its instances one after another, with retries, and renews those that are on the roll. */
  async register(): Promise<void> {
    const { instances, ttlMs } = this.#options;
    // At a random point of the first interval: clients of a cluster do not all start at the same time.
    this.#beatIn((ttlMs / 3) * Math.random());
    for (const instance of instances) await this.#registerOne(instance);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#host.close();
  }

  #beatIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#beat(), ms);
  }

  async #registerOne(instance: number): Promise<void> {
    const { services, ttlMs, beats } = this.#options;
    const path = pathOf(serviceOf(instance, services), instanceId(instance));
    const body = registrationOf(instance, ttlMs);
    let reply: string | undefined;
    while (reply === undefined) {
      reply = await this.#host.call(beats.registered, 'PUT', { path, body });
      if (reply === undefined) await sleep(RETRY_MS);
    }
    const { lease } = JSON.parse(reply) as { lease: { id: string } };
    this.#leases.set(lease.id, instance);
  }

  async #beat(): Promise<void> {
    if (this.#leases.size === 0) {
      this.#beatIn(RETRY_MS);
      return;
    }
    const startMs = performance.now();
    const isRenewed = this.#isSingle ? await this.#renewOne() : await this.#renewAll();
    const passedMs = performance.now() - startMs;
    this.#beatIn(isRenewed ? Math.max(0, this.#intervalMs() - passedMs) : RETRY_MS);
  }

  /**
   * The SDK renews each lease after 0.8 to 1 times a third of its TTL, and leases that are due soon are renewed
   * together with the earliest: the more leases, the closer the interval is to the lower end.
   */
  #intervalMs(): number {
    const thirdMs = this.#options.ttlMs / 3;
    if (this.#isSingle) return thirdMs;
    const least = 1 - (1 - Math.random()) ** (1 / this.#leases.size);
    return thirdMs * (0.8 + 0.2 * least);
  }

  async #renewAll(): Promise<boolean> {
    const { beats } = this.#options;
    const leases = [...this.#leases.keys()];
    const path = '/v1/leases/renew';
    const reply = await this.#host.call(beats.batches, 'POST', { path, body: { leases } });
    if (reply === undefined) return false;
    const { unknown, superseded } = JSON.parse(reply) as Record<'unknown' | 'superseded', string[]>;
    const lost = [...unknown, ...superseded];
    beats.renewed += leases.length - lost.length;
    beats.lost += lost.length;
    for (const lease of lost) {
      const instance = this.#leases.get(lease) ?? 0;
      this.#leases.delete(lease);
      void this.#registerOne(instance);
    }
    return true;
  }

  async #renewOne(): Promise<boolean> {
    const { beats } = this.#options;
    const path = `/v1/leases/${[...this.#leases.keys()][0]}`;
    const isRenewed = (await this.#host.call(beats.singles, 'PUT', { path })) !== undefined;
    if (isRenewed) beats.renewed++;
    return isRenewed;
  }
}

/** The counts since the last call, for a message. */
export interface BeatFigures {
  readonly batches: Tally;
  readonly singles: Tally;
  readonly renewed: number;
  readonly lost: number;
}

/** Returns the counts and resets them. */
export function takeFigures(beats: Beats): BeatFigures {
  const { batches, singles, renewed, lost } = beats;
  beats.batches = emptyTally();
  beats.singles = emptyTally();
  beats.renewed = 0;
  beats.lost = 0;
  return { batches, singles, renewed, lost };
}
