import { QueueWatch } from '../io/queue-watch.ts';
import type { Connection, ListenAddress, Transport } from '../io/transport.ts';
import type { Observer } from '../model/observer.ts';
import type { RequestTracer } from '../model/request-tracer.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { RequestIdRule } from '../model/request-id.ts';
import type { Router } from '../model/router.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import type { Target } from '../model/target.ts';
import { ClientSession } from './client-session.ts';
import { ExchangePool } from './exchange-pool.ts';
import type { ExchangeServices } from './exchange-services.ts';
import { type HttpCounters, createHttpCounters } from './plane-counters.ts';
import type { HttpListener, HttpListenerOptions } from './http-listener.ts';
import { DateLine } from './date-line.ts';
import { RecentClock } from './recent-clock.ts';
import { RequestGate } from './request-gate.ts';
import { RequestHead } from './request-head.ts';
import { RequestIds } from './request-ids.ts';
import { budgetOf, poolOptionsOf, stallBounds } from './settings-parts.ts';
import { hasSameSourceLimits, Sources } from './sources.ts';
import type { SharedUse } from './shared-use.ts';
import { RequestWriter } from './request-writer.ts';
import { ResponseHead } from './response-head.ts';
import { ResponseWriter } from './response-writer.ts';
import { type ListenerOwner, ServedListener } from './served-listener.ts';
import { TraceFields } from './trace-fields.ts';
import { UpstreamPool } from './upstream-pool.ts';
import { ViaLines } from './via-lines.ts';
import { createPseudonym } from './pseudonym.ts';

/** What may change while a server serves. */
export interface HttpServerSettings {
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
  /** Gives each request an id. @default none: a request then costs a few comparisons more */
  readonly requestId?: RequestIdRule | undefined;
  /** Names of the request fields whose values observers get, in lower case. @default none: it costs nothing */
  readonly keptFields?: readonly string[];
  /** How many client connections this process and those with which it shares its limits may have. @default any number */
  readonly sharedConnections?: number;
}

export interface HttpServerOptions extends HttpServerSettings {
  readonly observer: Observer;
  /** Makes traces of requests. @default none: a request then costs one comparison more */
  readonly tracer?: RequestTracer | undefined;
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

const SWEEP_MS = 250;

/**
 * Forwards HTTP/1.1 from any number of listeners to the targets of the groups that the router chooses.
 * One sweep handles all timeouts.
 */
export class HttpServer {
  readonly counters: HttpCounters = createHttpCounters();
  readonly #runtime: HttpServerRuntime;
  readonly #services: ExchangeServices;
  readonly #sessions = new Set<ClientSession>();
  /** Those that are closed stay until their last connection has ended. */
  readonly #listeners = new Set<ServedListener>();
  readonly #listenerOwner: ListenerOwner;
  readonly #sweepTimer: Timer;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  /** Connections of the processes with which this one shares its limits. */
  #elsewhere = 0;
  #sharedConnections: number;

  constructor(options: HttpServerOptions, runtime: HttpServerRuntime) {
    const { timeouts, limits, sharedConnections = Number.POSITIVE_INFINITY } = options;
    this.#sharedConnections = sharedConnections;
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
      keptFields: options.keptFields ?? [],
      requestIds: RequestIds.by(options.requestId),
      tracer: options.tracer,
      traceFields: new TraceFields(options.tracer?.fields ?? []),
      pool: new UpstreamPool(
        { ...runtime, clock, queueWatch },
        this.counters,
        poolOptionsOf(options),
      ),
      clock,
      queueWatch,
      counters: this.counters,
      budget: budgetOf(limits, runtime.clock),
      sources: Sources.within(limits),
      date,
      gate: new RequestGate(via),
      requestHead: new RequestHead(limits.fieldCount, options.underscoresInHeaders !== true),
      requestWriter: new RequestWriter(via),
      responseHead: new ResponseHead(limits.fieldCount),
      responseWriter: new ResponseWriter(via, date),
    };
    this.#listenerOwner = {
      clock: runtime.clock,
      nowMs: () => clock.monotonicMs(),
      exchanges: new ExchangePool(this.#services),
      sessions: this.#sessions,
      onGone: (session) => this.#onGone(session),
    };
    this.#sweepTimer = runtime.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /**
   * @param router routes the requests of this listener.
   * @throws the system's error when the address cannot be bound.
   */
  async listen(
    address: ListenAddress,
    router: Router,
    options: HttpListenerOptions = {},
  ): Promise<HttpListener> {
    const listener = new ServedListener(this.#listenerOwner, router, options);
    const accept = (connection: Connection): ClientSession => {
      const session = new ClientSession(connection, this.#services, listener);
      this.#sessions.add(session);
      listener.onAccepted();
      this.counters.connectionsAccepted++;
      this.counters.connectionsOpen++;
      const isTooMany = this.#hasTooMany(this.#sessions.size);
      if (isTooMany || session.isOneTooMany) {
        this.counters.connectionsRefused++;
        session.abort();
      }
      return session;
    };
    const { transport } = this.#runtime;
    const { handshaker } = options;
    const hasRoom = (handshakes: number): boolean => {
      listener.onArrived();
      return this.#hasRoom(handshakes);
    };
    const bound = await transport.listen(address, accept, { handshaker, hasRoom });
    listener.bind(bound, address.socket !== undefined);
    this.#listeners.add(listener);
    if (this.#closed !== undefined) await listener.close(0);
    return listener;
  }

  #hasRoom(handshakes: number): boolean {
    if (!this.#hasTooMany(this.#sessions.size + handshakes + 1)) return true;
    this.counters.connectionsRefused++;
    return false;
  }

  #hasTooMany(connections: number): boolean {
    const { limits } = this.#services;
    const all = connections + this.#elsewhere;
    return connections > limits.clientConnections || all > this.#sharedConnections;
  }

  /** What this server has used of the limits that it shares with other processes, since the last time. */
  takeUse(): SharedUse {
    return {
      connections: this.#sessions.size,
      sources: this.#services.sources?.takeUse() ?? [],
    };
  }

  /** What all the other processes have used since the last time. */
  applyUse({ connections, sources }: SharedUse): void {
    this.#elsewhere = connections;
    this.#services.sources?.applyUse(sources, this.#services.clock.monotonicMs());
  }

  /** Applies to connections that are open, from their next request or wait on. */
  configure(settings: HttpServerSettings): void {
    const { timeouts, limits, trustForwarded, underscoresInHeaders, keptFields = [] } = settings;
    this.#sharedConnections = settings.sharedConnections ?? Number.POSITIVE_INFINITY;
    const services = this.#services;
    const { retryRatio, retryReserve } = services.limits;
    // A new one would have its whole reserve again.
    if (retryRatio !== limits.retryRatio || retryReserve !== limits.retryReserve)
      services.budget = budgetOf(limits, this.#runtime.clock);
    // Connections that are open stay with the limits of their source.
    if (!hasSameSourceLimits(services.limits, limits)) services.sources = Sources.within(limits);
    Object.assign(services, { timeouts, limits, trustForwarded, keptFields });
    services.requestIds = RequestIds.by(settings.requestId);
    services.pool.configure(poolOptionsOf(settings));
    services.queueWatch.configure(stallBounds(timeouts));
    services.requestHead.fields.configure(limits.fieldCount, underscoresInHeaders !== true);
    services.responseHead.fields.configure(limits.fieldCount);
  }

  /** Closes the unused connections to this target. Its owner must ensure that the target gets no new requests. */
  retire(target: Target): void {
    this.#services.pool.retire(target);
  }

  /** New requests to this target use new connections: it is reached in another way from now on. */
  renew(target: Target): void {
    this.#services.pool.renew(target);
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
    const listeners = [...this.#listeners];
    await Promise.all(listeners.map((listener) => listener.close(graceMs)));
    await Promise.all(listeners.map((listener) => listener.settled()));
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#sweepTimer.cancel();
    this.#services.pool.close();
  }

  #onGone(session: ClientSession): void {
    if (!this.#sessions.delete(session)) return;
    this.counters.connectionsOpen--;
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #sweep(): void {
    const now = this.#services.clock.monotonicMs();
    for (const session of this.#sessions) session.checkDeadlines(now);
    this.#services.pool.checkDeadlines(now);
    this.#services.queueWatch.look();
    this.#services.sources?.sweep(now);
    for (const listener of this.#listeners) {
      listener.sweep(now);
      if (listener.isOver) this.#listeners.delete(listener);
    }
  }
}
