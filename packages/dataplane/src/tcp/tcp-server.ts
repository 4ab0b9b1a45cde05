import { backlogTaken } from '../io/backlog.ts';
import { QueueWatch } from '../io/queue-watch.ts';
import type { Address, Listener, Transport } from '../io/transport.ts';
import type { PortPlace } from '../model/port-service.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import type { Target } from '../model/target.ts';
import { type TcpCounters, type TcpOptions, createTcpCounters } from './tcp-options.ts';
import type { StallBounds } from '../io/write-stall.ts';
import { type TcpServices, TcpSession } from './tcp-session.ts';

export interface TcpRuntime {
  readonly transport: Transport;
  readonly clock: Clock;
}

const SWEEP_MS = 250;
/** Longest time between two looks, in ms: even a slow reader opens its window more often than this. */
const LONGEST_LOOK_MS = 10_000;

/**
 * Connects TCP clients of any number of listeners to the targets of their groups. One sweep checks all timeouts. A
 * client for which there is no target is refused with a reset.
 */
export class TcpServer {
  readonly counters: TcpCounters = createTcpCounters();
  readonly #runtime: TcpRuntime;
  readonly #services: TcpServices;
  readonly #sessions = new Set<TcpSession>();
  readonly #listeners = new Set<Listener>();
  readonly #draining = new Map<Target, number>();
  readonly #sweepTimer: Timer;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  #closeBy = Number.POSITIVE_INFINITY;

  constructor(options: TcpOptions, runtime: TcpRuntime) {
    const { transport, clock } = runtime;
    this.#runtime = runtime;
    this.#services = {
      options,
      transport,
      clock,
      queueWatch: new QueueWatch(transport.sendQueues, clock, stallBounds(options)),
      counters: this.counters,
      onGone: (session) => this.#forget(session),
    };
    this.#sweepTimer = runtime.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** @throws the system's error when the address cannot be bound. */
  async listen(address: Address, place: PortPlace): Promise<Listener> {
    const listener = await this.#runtime.transport.listen(address, (connection) => {
      const session = new TcpSession(connection, place.service, this.#services);
      this.#sessions.add(session);
      this.counters.accepted++;
      this.counters.open++;
      if (this.#sessions.size > this.#services.options.connections) session.refuse('limit');
      else session.start();
      return session;
    });
    const own: Listener = {
      address: listener.address,
      close: () => {
        this.#listeners.delete(own);
        return listener.close();
      },
    };
    this.#listeners.add(own);
    if (this.#closed !== undefined) await own.close();
    return own;
  }

  /**
   * Lets connections in progress on this target continue for `graceMs`, then aborts them. Its owner must ensure that
   * the target gets no new connections.
   */
  drain(target: Target, graceMs: number): void {
    if (target.inFlight === 0) return;
    this.#draining.set(target, this.#runtime.clock.monotonicMs() + graceMs);
  }

  /**
   * Accepts the connections already made and no further ones, lets connections finish for up to `graceMs`, then aborts
   * them. Resolves when all are closed; further calls return the first call's promise.
   */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#closeBy = this.#runtime.clock.monotonicMs() + graceMs;
    const bounds = { mostMs: graceMs, isShared: false };
    await backlogTaken(() => this.counters.accepted, this.#runtime.clock, bounds);
    await Promise.all(Array.from(this.#listeners, (listener) => listener.close()));
    if (graceMs === 0) this.#sweep();
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#sweepTimer.cancel();
  }

  #forget(session: TcpSession): void {
    if (!this.#sessions.delete(session)) return;
    this.counters.open--;
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #sweep(): void {
    const now = this.#runtime.clock.monotonicMs();
    for (const session of this.#sessions) session.checkDeadlines(now);
    this.#services.queueWatch.look();
    this.#endDrains(now);
    if (now < this.#closeBy) return;
    for (const session of this.#sessions) session.abort();
  }

  #endDrains(now: number): void {
    const overdue = new Set<Target>();
    for (const [target, until] of this.#draining) {
      if (target.inFlight > 0 && now < until) continue;
      this.#draining.delete(target);
      if (target.inFlight > 0) overdue.add(target);
    }
    if (overdue.size === 0) return;
    for (const session of this.#sessions) {
      if (session.target !== undefined && overdue.has(session.target)) session.abort();
    }
  }
}

function stallBounds({ idleMs }: TcpOptions): StallBounds {
  return { boundMs: idleMs, lookMs: Math.min(LONGEST_LOOK_MS, idleMs / 3) };
}
