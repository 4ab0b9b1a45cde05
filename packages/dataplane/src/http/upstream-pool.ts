import type { QueueWatch } from '../io/queue-watch.ts';
import type { Transport } from '../io/transport.ts';
import type { Target } from '../model/target.ts';
import type { RecentClock } from './recent-clock.ts';
import type { HttpCounters } from './plane-counters.ts';
import {
  type IdleKeeper,
  type TargetEntry,
  UpstreamConnection,
  type UpstreamOwner,
  type UpstreamPlace,
} from './upstream-connection.ts';

export interface PoolOptions {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly idlePerTarget: number;
  /** Maximum number of connections, used and unused; at the limit, unused ones are closed to make room. */
  readonly openLimit: number;
}

export interface PoolIo {
  readonly transport: Transport;
  readonly clock: RecentClock;
  readonly queueWatch: QueueWatch;
}

/**
 * When a target announces how long it keeps a connection, the pool uses that time minus this margin, because
 * a request needs time to arrive.
 */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** All connections to targets, used and unused. */
export class UpstreamPool implements IdleKeeper {
  readonly #entries = new Map<Target, TargetEntry>();
  readonly #all = new Set<UpstreamConnection>();
  readonly #transport: Transport;
  readonly #clock: RecentClock;
  readonly #counters: HttpCounters;
  #options: PoolOptions;
  readonly #place: UpstreamPlace;

  constructor(io: PoolIo, counters: HttpCounters, options: PoolOptions) {
    this.#transport = io.transport;
    this.#clock = io.clock;
    this.#place = { keeper: this, queueWatch: io.queueWatch };
    this.#counters = counters;
    this.#options = options;
  }

  /** Connections that are open already keep their deadlines. */
  configure(options: PoolOptions): void {
    this.#options = options;
  }

  /**
   * Returns an open connection, or one that will call `onUpstreamOpen` or
   * `onUpstreamClose`. `isFresh`: do not reuse one.
   */
  acquire(target: Target, owner: UpstreamOwner, isFresh: boolean): UpstreamConnection {
    const entry = this.#entryOf(target);
    const idle = isFresh ? undefined : entry.idle.pop();
    if (idle !== undefined) {
      this.#counters.upstreamReuses++;
      idle.owner = owner;
      idle.isReused = true;
      idle.readDeadline = 0;
      return idle;
    }
    this.#counters.upstreamConnects++;
    if (this.#all.size >= this.#options.openLimit) this.#makeRoom();
    const connection = new UpstreamConnection(target, owner, entry, this.#place);
    connection.readDeadline = this.#clock.monotonicMs() + this.#options.connectMs;
    entry.open++;
    target.counters.connections++;
    this.#all.add(connection);
    connection.connect(target.connector ?? this.#transport);
    return connection;
  }

  /**
   * Takes back a connection whose request and response are both complete, as of the last reading of the clock.
   * `keepAliveSeconds` < 0: not given.
   */
  release(connection: UpstreamConnection, keepAliveSeconds: number): void {
    const { entry } = connection;
    const saidMs = keepAliveSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS;
    const idleMs =
      keepAliveSeconds < 0 ? this.#options.idleMs : Math.min(saidMs, this.#options.idleMs);
    if (entry.isRetired || idleMs <= 0 || entry.idle.length >= this.#options.idlePerTarget) {
      connection.discard();
      return;
    }
    connection.owner = null;
    connection.ceaseFollowing();
    connection.readDeadline = this.#clock.recentMs + idleMs;
    entry.idle.push(connection);
  }

  /** Closes all unused connections: the system cannot open more. */
  shedIdle(): void {
    for (const entry of this.#entries.values()) {
      for (const connection of entry.idle.splice(0)) connection.discard();
    }
  }

  /** Closes unused connections and keeps no more: the target gets no new requests. */
  retire(target: Target): void {
    const entry = this.#entries.get(target);
    if (entry === undefined) return;
    entry.isRetired = true;
    for (const connection of entry.idle.splice(0)) connection.discard();
  }

  /** New requests to the target use new connections; those in progress end on the old ones. */
  renew(target: Target): void {
    this.retire(target);
    this.#entries.delete(target);
  }

  /** Aborts requests that are still in progress on a target. */
  sever(target: Target): void {
    this.retire(target);
    for (const connection of this.#all) {
      if (connection.target === target) connection.sever();
    }
  }

  checkDeadlines(now: number): void {
    for (const connection of this.#all) connection.checkDeadlines(now);
  }

  close(): void {
    for (const connection of this.#all) connection.discard();
  }

  idleCount(target: Target): number {
    return this.#entries.get(target)?.idle.length ?? 0;
  }

  onIdleLost(connection: UpstreamConnection): void {
    const { idle } = connection.entry;
    const index = idle.indexOf(connection);
    if (index !== -1) idle.splice(index, 1);
  }

  onGone(connection: UpstreamConnection): void {
    if (!this.#all.delete(connection)) return;
    connection.target.counters.connections--;
    const { entry, target } = connection;
    if (--entry.open === 0 && this.#entries.get(target) === entry) this.#entries.delete(target);
  }

  #makeRoom(): void {
    for (const entry of this.#entries.values()) {
      const oldest = entry.idle.shift();
      if (oldest === undefined) continue;
      oldest.discard();
      return;
    }
  }

  #entryOf(target: Target): TargetEntry {
    let entry = this.#entries.get(target);
    if (entry === undefined) {
      entry = { idle: [], open: 0, isRetired: false };
      this.#entries.set(target, entry);
    }
    return entry;
  }
}
