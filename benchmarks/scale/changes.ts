import type { Host } from './host.ts';
import { instanceId, pathOf, registrationOf, serviceOf } from './roll-names.ts';
import type { Settings } from './settings.ts';
import { emptyTally, type Tally } from './tally.ts';

/** This many of ten changes are a registration or a deregistration; the others change a weight. */
const CHURN = 2;
/** A change that has not arrived everywhere after this counts as missing, in ms. */
const PATIENCE_MS = 10_000;

interface Pending {
  readonly startMs: number;
  /** Number of streams that it has not reached yet. */
  left: number;
}

/** The results of changes since the last call. */
export interface ChangeFigures {
  /** Times from sending a change to its arrival at each watcher, in ms. */
  readonly arrivals: number[];
  readonly calls: Tally;
  readonly missing: number;
}

/** Makes steady changes to watched services and measures when watchers get them. */
export class Changes {
  readonly #hosts: readonly Host[];
  readonly #settings: Settings;
  /** Numbers of the watched services. */
  readonly #services: readonly number[];
  readonly #streamsEach: number;
  /** By `+` or `-` and the endpoint's id. */
  readonly #pending = new Map<string, Pending>();
  #made = 0;
  #arrivals: number[] = [];
  #calls = emptyTally();
  #missing = 0;

  constructor(
    hosts: readonly Host[],
    settings: Settings,
    { services, streamsEach }: { services: readonly number[]; streamsEach: number },
  ) {
    this.#hosts = hosts;
    this.#settings = settings;
    this.#services = services;
    this.#streamsEach = streamsEach;
  }

  /** Makes the next change. */
  async make(): Promise<void> {
    const change = this.#made++;
    const host = this.#hosts[change % this.#hosts.length]!;
    if (change % 10 >= 10 - CHURN) await this.#churn(host, change);
    else await this.#setWeight(host, change);
  }

  /** Processes the data of a change event that a watcher received. */
  arrived(data: string): void {
    const { upserts, removes } = JSON.parse(data) as {
      upserts: { id: string }[];
      removes: string[];
    };
    for (const { id } of upserts) this.#arrivedAt(`+${id}`);
    for (const id of removes) this.#arrivedAt(`-${id}`);
  }

  take(): ChangeFigures {
    const beforeMs = performance.now() - PATIENCE_MS;
    for (const [key, { startMs }] of this.#pending) {
      if (startMs > beforeMs) continue;
      this.#pending.delete(key);
      this.#missing++;
    }
    const figures = { arrivals: this.#arrivals, calls: this.#calls, missing: this.#missing };
    this.#arrivals = [];
    this.#calls = emptyTally();
    this.#missing = 0;
    return figures;
  }

  /** Each watched instance in turn, with another weight in each round. */
  async #setWeight(host: Host, change: number): Promise<void> {
    const { instances, services } = this.#settings;
    const watched = this.#services[change % this.#services.length]!;
    const turn = Math.floor(change / this.#services.length);
    const each = Math.max(1, Math.floor(instances / services));
    const instance = watched + services * (turn % each);
    const weight = 2 + (Math.floor(turn / each) % 900);
    const path = pathOf(serviceOf(instance, services), instanceId(instance));
    await this.#send(`+${instanceId(instance)}/http`, () =>
      host.call(this.#calls, 'PATCH', { path, body: { weight } }),
    );
  }

  /** Registers an instance; the next call deregisters it. */
  async #churn(host: Host, change: number): Promise<void> {
    const { services, 'ttl-ms': ttlMs } = this.#settings;
    const isNew = change % 10 === 10 - CHURN;
    const number = Math.floor(change / 10) - (isNew ? 0 : 1);
    if (number < 0) return;
    const id = `churn-${number}`;
    const watched = this.#services[number % this.#services.length]!;
    const path = pathOf(serviceOf(watched, services), id);
    await this.#send(`${isNew ? '+' : '-'}${id}/http`, () =>
      isNew
        ? host.call(this.#calls, 'PUT', { path, body: registrationOf(change, ttlMs) })
        : host.call(this.#calls, 'DELETE', { path }),
    );
  }

  async #send(key: string, call: () => Promise<string | undefined>): Promise<void> {
    this.#pending.set(key, { startMs: performance.now(), left: this.#streamsEach });
    if ((await call()) === undefined) this.#pending.delete(key);
  }

  #arrivedAt(key: string): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#arrivals.push(performance.now() - pending.startMs);
    if (--pending.left === 0) this.#pending.delete(key);
  }
}
