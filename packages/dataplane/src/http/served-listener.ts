import { backlogTaken } from '../io/backlog.ts';
import type { Address, ConnectionListener, Handshaker } from '../io/transport.ts';
import type { Router } from '../model/router.ts';
import type { Clock } from '@rollcall/runtime';
import type { ClientPlace } from './client-place.ts';
import type { ExchangePool } from './exchange-pool.ts';
import type { ClientSession } from './client-session.ts';
import type { HttpListener, ListenerRules } from './http-listener.ts';

/** The server of a listener. */
export interface ListenerOwner {
  readonly clock: Clock;
  readonly exchanges: ExchangePool;
  readonly sessions: Iterable<ClientSession>;
  /** Monotonic, in ms; also for what reads the clock of the plane only now and then. */
  nowMs(): number;
  onGone(session: ClientSession): void;
}

/** One listener of a server, and what all of its connections share. */
export class ServedListener implements HttpListener, ClientPlace<ClientSession> {
  router: Router;
  readonly exchanges: ExchangePool;
  readonly bodyRules = { passesTrailers: false, isStrict: true };
  isClosing = false;
  readonly onGone: (session: ClientSession) => void;
  readonly #owner: ListenerOwner;
  #bound: ConnectionListener | undefined;
  #closed: Promise<void> | undefined;
  #isUnbound = false;
  /** Connections that have been accepted, or whose handshake has begun. */
  #arrivals = 0;
  /** Other processes accept at the same socket. */
  #isShared = false;
  #connections = 0;
  #closeBy = Number.POSITIVE_INFINITY;

  constructor(owner: ListenerOwner, router: Router, rules: ListenerRules) {
    this.#owner = owner;
    this.exchanges = owner.exchanges;
    this.router = router;
    this.onGone = (session) => {
      this.#connections--;
      owner.onGone(session);
    };
    this.reroute(router, rules);
  }

  get address(): Address {
    return this.#bound!.address;
  }

  /** Closed, and its last connection has ended. */
  get isOver(): boolean {
    return this.#isUnbound && this.#connections === 0 && this.#bound?.handshakes === 0;
  }

  reroute(router: Router, { passesTrailers = false }: ListenerRules = {}): void {
    this.router = router;
    this.bodyRules.passesTrailers = passesTrailers;
  }

  secure(handshaker: Handshaker | undefined): void {
    this.#bound?.secure(handshaker);
  }

  /** It accepts its connections here. */
  bind(bound: ConnectionListener, isShared: boolean): void {
    this.#bound = bound;
    this.#isShared = isShared;
  }

  onArrived(): void {
    this.#arrivals++;
  }

  onAccepted(): void {
    this.#arrivals++;
    this.#connections++;
  }

  close(graceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#closeBy = Math.min(this.#closeBy, this.#owner.nowMs() + graceMs);
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  /** Resolves when none of its connections is in a handshake. */
  async settled(): Promise<void> {
    await this.#bound?.settled();
  }

  /** Aborts the connections whose time is over. */
  sweep(now: number): void {
    if (now < this.#closeBy) return;
    for (const session of this.#sessions()) session.abort();
    this.#bound?.giveUpHandshakes();
  }

  async #close(graceMs: number): Promise<void> {
    this.isClosing = true;
    for (const session of this.#sessions()) session.startClosing();
    const owner = this.#owner;
    const bounds = { mostMs: graceMs, isShared: this.#isShared };
    await backlogTaken(() => this.#arrivals, owner.clock, bounds);
    await this.#bound?.close();
    this.#isUnbound = true;
  }

  *#sessions(): Generator<ClientSession> {
    for (const session of this.#owner.sessions) if (session.place === this) yield session;
  }
}
