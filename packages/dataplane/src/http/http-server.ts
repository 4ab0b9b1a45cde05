import { RetryBudget } from '@rollcall/balancing';
import { backlogTaken } from '../io/backlog.ts';
import { QueueWatch } from '../io/queue-watch.ts';
import type { Address, Listener, Transport } from '../io/transport.ts';
import type { Observer } from '../model/observer.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { Router } from '../model/router.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import type { Target } from '../model/target.ts';
import type { StallBounds } from '../io/write-stall.ts';
import { ClientSession } from './client-session.ts';
import type { ExchangeServices } from './exchange-services.ts';
import { type HttpCounters, createHttpCounters } from './plane-counters.ts';
import { DateLine } from './date-line.ts';
import { RequestGate } from './request-gate.ts';
import { RequestHead } from './request-head.ts';
import { RequestWriter } from './request-writer.ts';
import { ResponseHead } from './response-head.ts';
import { ResponseWriter } from './response-writer.ts';
import { UpstreamPool } from './upstream-pool.ts';
import { ViaLines } from './via-lines.ts';
import { createPseudonym } from './pseudonym.ts';

export interface HttpServerOptions {
  readonly observer: Observer;
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits;
  /**
   * Keep X-Forwarded-Proto, -Host and -Port of requests that carry them, and Forwarded, X-Real-IP and their like, for a
   * balancer behind another. Elsewhere a client could claim anything.
   */
  readonly trustForwarded: boolean;
  /**
   * Pass on header fields of requests with a `_` in their name. Targets that speak CGI or WSGI read it as `-`, so a client
   * could say what only the balancer may. Names that mean something with `-` never pass. @default false
   */
  readonly underscoresInHeaders?: boolean;
  /** What this process calls itself in Via, and knows a request again by that comes back. @default rollcall- and a random number */
  readonly pseudonym?: string;
}

export interface HttpServerRuntime {
  readonly transport: Transport;
  readonly clock: Clock;
}

export interface HttpListenerOptions {
  /**
   * Pass on the trailers of requests, written anew and without those that may only stand in a head. Only for targets that
   * are known to read them rightly: others take them for the next request. @default false
   */
  readonly passesTrailers?: boolean;
}

const SWEEP_MS = 250;
const LOOKS_PER_BOUND = 3;

/**
 * Forwards HTTP/1.1 from any number of listeners to the targets that the router's groups name. All timeouts are kept by
 * one sweep.
 */
export class HttpServer {
  readonly counters: HttpCounters = createHttpCounters();
  readonly #runtime: HttpServerRuntime;
  readonly #services: ExchangeServices;
  readonly #sessions = new Set<ClientSession>();
  readonly #listeners: Listener[] = [];
  readonly #sweepTimer: Timer;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  #closeBy = Number.POSITIVE_INFINITY;

  constructor(options: HttpServerOptions, runtime: HttpServerRuntime) {
    const { timeouts, limits } = options;
    const poolOptions = {
      connectMs: timeouts.connectMs,
      idleMs: timeouts.upstreamIdleMs,
      idlePerTarget: limits.idlePerTarget,
      openLimit: limits.clientConnections,
    };
    const queueWatch = new QueueWatch(
      runtime.transport.sendQueues,
      runtime.clock,
      stallBounds(timeouts),
    );
    const via = new ViaLines(options.pseudonym ?? createPseudonym());
    const date = new DateLine(runtime.clock);
    this.#runtime = runtime;
    this.#services = {
      ...options,
      pool: new UpstreamPool({ ...runtime, queueWatch }, this.counters, poolOptions),
      clock: runtime.clock,
      queueWatch,
      counters: this.counters,
      budget: new RetryBudget(
        {
          ratio: limits.retryRatio,
          // Only requests earn repeats: those of one balancer are those of all its clients.
          minPerSecond: 0,
          reserve: limits.retryReserve,
          burst: limits.retryReserve,
        },
        runtime.clock.monotonicMs(),
      ),
      date,
      gate: new RequestGate(via),
      requestHead: new RequestHead(limits.fieldCount, options.underscoresInHeaders !== true),
      requestWriter: new RequestWriter(via),
      responseHead: new ResponseHead(limits.fieldCount),
      responseWriter: new ResponseWriter(via, date),
      isClosing: false,
    };
    this.#sweepTimer = runtime.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /**
   * @param router routes what comes in here.
   * @throws the system's error when the address cannot be bound.
   */
  async listen(
    address: Address,
    router: Router,
    { passesTrailers = false }: HttpListenerOptions = {},
  ): Promise<Listener> {
    const place = { router, passesTrailers, onGone: this.#onGone };
    const listener = await this.#runtime.transport.listen(address, (connection) => {
      const session = new ClientSession(connection, this.#services, place);
      this.#sessions.add(session);
      this.counters.connectionsAccepted++;
      this.counters.connectionsOpen++;
      if (this.#sessions.size > this.#services.limits.clientConnections) {
        this.counters.connectionsRefused++;
        session.abort();
      }
      return session;
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** No new requests go to this target (its owner sees to that): closes its unused connections. */
  retire(target: Target): void {
    this.#services.pool.retire(target);
  }

  /** Breaks what is still under way on this target. */
  sever(target: Target): void {
    this.#services.pool.sever(target);
  }

  idleConnections(target: Target): number {
    return this.#services.pool.idleCount(target);
  }

  /**
   * Accepts who is connected already and then no more, lets what is under way finish for at most `graceMs`, then breaks
   * it. Every answer from now on says `Connection: close`. Resolves when all is closed; further calls get the first one's promise.
   */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#services.isClosing = true;
    this.#closeBy = this.#runtime.clock.monotonicMs() + graceMs;
    for (const session of this.#sessions) session.startClosing();
    await backlogTaken(() => this.counters.connectionsAccepted, this.#runtime.clock, graceMs);
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#sweepTimer.cancel();
    this.#services.pool.close();
  }

  readonly #onGone = (session: ClientSession): void => {
    if (!this.#sessions.delete(session)) return;
    this.counters.connectionsOpen--;
    if (this.#sessions.size === 0) this.#onEmpty?.();
  };

  #sweep(): void {
    const now = this.#runtime.clock.monotonicMs();
    for (const session of this.#sessions) session.expire(now);
    this.#services.pool.expire(now);
    this.#services.queueWatch.look();
    if (now < this.#closeBy) return;
    for (const session of this.#sessions) session.abort();
  }
}

/** Looks often enough that whoever takes bytes is seen to before any bound on silence ends. */
function stallBounds(timeouts: HttpTimeouts): StallBounds {
  const { writeStallMs, responseMs, responseIdleMs, tunnelIdleMs } = timeouts;
  const shortest = Math.min(writeStallMs, responseMs, responseIdleMs, tunnelIdleMs);
  return { boundMs: writeStallMs, lookMs: shortest / LOOKS_PER_BOUND };
}
