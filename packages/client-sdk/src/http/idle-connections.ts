import type { Duplex } from 'node:stream';
import type { Runtime } from '../base/runtime.ts';
import type { AgentInternals, ClientRequest } from './agent-internals.ts';
import { socketsOf } from './socket-table.ts';

const UNTIL = Symbol('when an idle connection is to end');
const REQUEST = Symbol('the request that uses a connection');

interface Idle extends Duplex {
  /** Monotonic, in ms. */
  [UNTIL]?: number;
  [REQUEST]?: ClientRequest | undefined;
}

/** Checks per `maxMs`. */
const LOOKS = 8;

/** Idle connections do not keep the process alive. */
const ALONG = { keepsAlive: false } as const;

/**
 * Ends connections that have been idle for too long, never later and at most one check earlier. One timer serves all of
 * them: one for each connection would be set and cancelled at every request.
 */
export class IdleConnections {
  readonly #agent: Pick<AgentInternals, 'freeSockets'>;
  readonly #runtime: Runtime;
  readonly #maxMs: number;
  #isLooking = false;

  constructor(agent: Pick<AgentInternals, 'freeSockets'>, runtime: Runtime, maxMs: number) {
    this.#agent = agent;
    this.#runtime = runtime;
    this.#maxMs = maxMs;
  }

  /** The connection is in use from now on. */
  remove(socket: Idle, request: ClientRequest): void {
    socket[REQUEST] = request;
  }

  /** Its request is over. @returns whether it may be kept: its server may have announced that it does not keep it. */
  add(socket: Idle): boolean {
    const announcedMs = announcedIn(socket[REQUEST]);
    socket[REQUEST] = undefined;
    if (announcedMs <= 0) return false;
    socket[UNTIL] = this.#runtime.monotonicMs() + Math.min(this.#maxMs, announcedMs);
    if (!this.#isLooking) this.#lookSoon();
    return true;
  }

  get #stepMs(): number {
    return this.#maxMs / LOOKS;
  }

  #lookSoon(): void {
    this.#isLooking = true;
    this.#runtime.after(this.#stepMs, () => this.#look(), ALONG);
  }

  #look(): void {
    this.#isLooking = false;
    const idle: readonly Idle[] = socketsOf(this.#agent.freeSockets);
    const nextMs = this.#runtime.monotonicMs() + this.#stepMs;
    for (const socket of idle) if ((socket[UNTIL] ?? 0) < nextMs) socket.destroy();
    if (idle.length > 0) this.#lookSoon();
  }
}

/** What a request needs to reach the server before the server ends the connection, in ms. */
const ON_THE_WAY_MS = 1_000;

/**
 * How long the connection may be kept, by what its server has answered, in ms. Node.js heeds that only for agents with a
 * timeout of their own.
 */
function announcedIn(request: ClientRequest | undefined): number {
  const announced = request?.res?.headers['keep-alive'];
  if (announced === undefined) return Infinity;
  const [, seconds] = /\btimeout=(\d{1,9})/.exec(String(announced)) ?? [];
  return seconds === undefined ? Infinity : Number(seconds) * 1_000 - ON_THE_WAY_MS;
}
