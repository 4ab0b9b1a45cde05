import { RetryBudget } from '@rollcall/balancing';
import { backlogTaken } from '../io/backlog.ts';
import { QueueWatch } from '../io/queue-watch.ts';
import type { Acceptor, Connection, ListenAddress, Listener, Transport } from '../io/transport.ts';
import type { Observer } from '../model/observer.ts';
import type { RequestTracer } from '../model/request-tracer.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { Router } from '../model/router.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import type { Target } from '../model/target.ts';
import type { StallBounds } from '../io/write-stall.ts';
import { ClientSession } from './client-session.ts';
import { ExchangePool } from './exchange-pool.ts';
import type { ExchangeServices } from './exchange-services.ts';
import { type HttpCounters, createHttpCounters } from './plane-counters.ts';
import { DateLine } from './date-line.ts';
import { RecentClock } from './recent-clock.ts';
import { RequestGate } from './request-gate.ts';
import { RequestHead } from './request-head.ts';
import { Sources } from './sources.ts';
import { RequestWriter } from './request-writer.ts';
import { ResponseHead } from './response-head.ts';
import { ResponseWriter } from './response-writer.ts';
import { TraceFields } from './trace-fields.ts';
import { UpstreamPool } from './upstream-pool.ts';
import { ViaLines } from './via-lines.ts';
import { createPseudonym } from './pseudonym.ts';

export interface HttpServerOptions {
  readonly observer: Observer;
  /** Makes traces of requests. @default none: a request then costs one comparison more */
  readonly tracer?: RequestTracer | undefined;
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits;
  /**
   * Keeps X-Forwarded-Proto, -Host and -Port of requests, and Forwarded, X-Real-IP and similar fields: for a balancer
   * behind another proxy. Otherwise a client could claim anything.
   */
  readonly trustForwarded: boolean;
  /**
   * Forwards request header fields with `_` in their name. Targets that use CGI or WSGI read `_` as `-`,
   * so a client could set fields that only the balancer may set. Names that have a meaning with `-` are
   * never forwarded. @default false
   */
  readonly underscoresInHeaders?: boolean;
  /**
   * Name of this process in Via, by which it recognizes a request that comes back.
   * @default rollcall- and a random number
   */
  readonly pseudonym?: string;
}

export interface HttpServerRuntime {
  readonly transport: Transport;
  readonly clock: Clock;
}

export interface HttpListenerOptions {
  /**
   * Forwards the trailers of requests, rewritten and without those that are only allowed in a head. Only for targets
   * that are known to read them correctly: others take them for the next request. @default false
   */
  readonly passesTrailers?: boolean;
  /** How connections arrive, for example over TLS. @default as the server's transport accepts them */
  readonly acceptor?: Acceptor;
}

const SWEEP_MS = 250;
const LOOKS_PER_BOUND = 3;

/**
 * Forwards HTTP/1.1 from any number of listeners to the targets of the groups that the router chooses.
 * One sweep handles all timeouts.
 */
export class HttpServer {
  readonly counters: HttpCounters = createHttpCounters();
  readonly #runtime: HttpServerRuntime;
  readonly #services: ExchangeServices;
  readonly #exchanges: ExchangePool;
  readonly #sessions = new Set<ClientSession>();
  readonly #listeners: Listener[] = [];
  readonly #sweepTimer: Timer;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  /** Connections whose handshake has begun. */
  #arrivals = 0;
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
    const clock = new RecentClock(runtime.clock);
    this.#services = {
      ...options,
      tracer: options.tracer,
      traceFields: new TraceFields(options.tracer?.fields ?? []),
      pool: new UpstreamPool({ ...runtime, clock, queueWatch }, this.counters, poolOptions),
      clock,
      queueWatch,
      counters: this.counters,
      budget: new RetryBudget(
        {
          ratio: limits.retryRatio,
          // Only requests earn retries: one balancer handles the requests of all its clients.
          minPerSecond: 0,
          reserve: limits.retryReserve,
          burst: limits.retryReserve,
        },
        runtime.clock.monotonicMs(),
      ),
      sources: Sources.within(limits),
      date,
      gate: new RequestGate(via),
      requestHead: new RequestHead(limits.fieldCount, options.underscoresInHeaders !== true),
      requestWriter: new RequestWriter(via),
      responseHead: new ResponseHead(limits.fieldCount),
      responseWriter: new ResponseWriter(via, date),
      isClosing: false,
    };
    this.#exchanges = new ExchangePool(this.#services);
    this.#sweepTimer = runtime.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /**
   * @param router routes the requests of this listener.
   * @throws the system's error when the address cannot be bound.
   */
  async listen(
    address: ListenAddress,
    router: Router,
    { passesTrailers = false, acceptor = this.#runtime.transport }: HttpListenerOptions = {},
  ): Promise<Listener> {
    const exchanges = this.#exchanges;
    const place = { router, passesTrailers, exchanges, onGone: this.#onGone };
    const accept = (connection: Connection): ClientSession => {
      const session = new ClientSession(connection, this.#services, place);
      this.#sessions.add(session);
      this.counters.connectionsAccepted++;
      this.counters.connectionsOpen++;
      const isTooMany = this.#sessions.size > this.#services.limits.clientConnections;
      if (isTooMany || session.isOneTooMany) {
        this.counters.connectionsRefused++;
        session.abort();
      }
      return session;
    };
    const listener = await acceptor.listen(address, accept, () => this.#hasRoom());
    this.#listeners.push(listener);
    return listener;
  }

  #hasRoom(): boolean {
    this.#arrivals++;
    if (this.#sessions.size < this.#services.limits.clientConnections) return true;
    this.counters.connectionsRefused++;
    return false;
  }

  /** Closes the unused connections to this target. Its owner must ensure that the target gets no new requests. */
  retire(target: Target): void {
    this.#services.pool.retire(target);
  }

  /** Aborts requests that are still in progress on this target. */
  sever(target: Target): void {
    this.#services.pool.sever(target);
  }

  idleConnections(target: Target): number {
    return this.#services.pool.idleCount(target);
  }

  /**
   * Accepts the connections already made and no further ones, lets requests in progress finish for up to `graceMs`,
   * then aborts them. From now on every response carries `Connection: close`. Resolves when everything is closed;
   * further calls return the first call's promise.
   */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#services.isClosing = true;
    this.#closeBy = this.#services.clock.monotonicMs() + graceMs;
    for (const session of this.#sessions) session.startClosing();
    const accepted = () => this.counters.connectionsAccepted + this.#arrivals;
    await backlogTaken(accepted, this.#runtime.clock, graceMs);
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
    const now = this.#services.clock.monotonicMs();
    for (const session of this.#sessions) session.checkDeadlines(now);
    this.#services.pool.checkDeadlines(now);
    this.#services.queueWatch.look();
    this.#services.sources?.sweep(now);
    if (now < this.#closeBy) return;
    for (const session of this.#sessions) session.abort();
  }
}

/** Looks often enough to notice a peer that takes bytes before any timeout for silence ends. */
function stallBounds(timeouts: HttpTimeouts): StallBounds {
  const { writeStallMs, responseMs, responseIdleMs, tunnelIdleMs } = timeouts;
  const shortest = Math.min(writeStallMs, responseMs, responseIdleMs, tunnelIdleMs);
  return { boundMs: writeStallMs, lookMs: shortest / LOOKS_PER_BOUND };
}
