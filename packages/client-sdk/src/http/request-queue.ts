import type { Socket } from 'node:net';
import { RollcallError } from '../base/error.ts';
import type { AgentInternals, ClientRequest, SocketOptions } from './agent-internals.ts';
import { countOf, hasOpen } from './socket-table.ts';

interface Waiting {
  readonly request: ClientRequest;
  readonly options: SocketOptions;
}

/** The connections of an agent. */
type Connections = Pick<AgentInternals, 'sockets' | 'freeSockets'>;

/** Gives a request a free connection, or makes one. */
type Serve = (request: ClientRequest, options: SocketOptions) => void;

/**
 * The requests to an endpoint that have no connection yet: those that wait for one, and those for which one is being
 * made. Takes the place of the agent's own queue, which would not go on after a failed connect.
 */
export class RequestQueue {
  readonly connecting = new Map<ClientRequest, Socket>();
  readonly #connections: Connections;
  readonly #maxConnections: number;
  readonly #serve: Serve;
  #waiting: Waiting[] = [];
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(connections: Connections, maxConnections: number, serve: Serve) {
    this.#connections = connections;
    this.#maxConnections = maxConnections;
    this.#serve = serve;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  add(request: ClientRequest, options: SocketOptions): void {
    // Mostly nobody waits.
    if (this.#waiting.length === 0 && this.#hasRoom) this.#serve(request, options);
    else {
      this.#waiting.push({ request, options });
      this.goOn();
    }
  }

  /** Serves those that wait, as far as there are connections. To be called whenever there may be one more. */
  goOn(): void {
    // Called for every request that ends: mostly nobody waits.
    if (this.#waiting.length === 0 && this.#closed === undefined) return;
    while (this.#waiting.length > 0 && this.#hasRoom) {
      const { request, options } = this.#waiting.shift()!;
      this.#serve(request, options);
    }
    if (this.#waiting.length === 0 && this.#count === 0) this.#closed?.resolve();
  }

  get #count(): number {
    return countOf(this.#connections.sockets) + this.connecting.size;
  }

  get #hasRoom(): boolean {
    return hasOpen(this.#connections.freeSockets) || this.#count < this.#maxConnections;
  }

  /** The caller destroyed the request. */
  forget(request: ClientRequest, reason: Error | undefined): void {
    const isWaiting = this.#waiting.some((one) => one.request === request);
    this.#waiting = this.#waiting.filter((one) => one.request !== request);
    if (isWaiting) request.onSocket(null, reason);
    this.connecting.get(request)?.destroy(reason ?? hangUp());
  }

  /** Resolves once nothing is under way any more. */
  close(): Promise<void> {
    this.#closed ??= Promise.withResolvers();
    this.goOn();
    return this.#closed.promise;
  }

  destroy(): void {
    const error = new RollcallError('closed', 'the client was closed');
    for (const { request } of this.#waiting.splice(0)) request.onSocket(null, error);
    for (const socket of this.connecting.values()) socket.destroy(error);
  }
}

/** What Node.js says of a request that was destroyed without a reason. */
const hangUp = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
