import type { Socket } from 'node:net';
import { RollcallError } from '../base/error.ts';
import type { ClientRequest, SocketOptions } from './agent-internals.ts';

interface Waiting {
  readonly request: ClientRequest;
  readonly options: SocketOptions;
}

export interface RequestQueueParts {
  readonly maxConnections: number;
  /** Number of connections in use. */
  readonly used: () => number;
  readonly hasFree: () => boolean;
  /** Gives a request a free connection, or makes one. */
  readonly serve: (request: ClientRequest, options: SocketOptions) => void;
}

/**
 * The requests to an endpoint that have no connection yet: those that wait for one, and those for which one is being
 * made. Takes the place of the agent's own queue, which would not go on after a failed connect.
 */
export class RequestQueue {
  readonly connecting = new Map<ClientRequest, Socket>();
  readonly #parts: RequestQueueParts;
  #waiting: Waiting[] = [];
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(parts: RequestQueueParts) {
    this.#parts = parts;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  add(request: ClientRequest, options: SocketOptions): void {
    // Mostly nobody waits.
    if (this.#waiting.length === 0 && this.#hasRoom) this.#parts.serve(request, options);
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
      this.#parts.serve(request, options);
    }
    if (this.#waiting.length === 0 && this.#count === 0) this.#closed?.resolve();
  }

  get #count(): number {
    return this.#parts.used() + this.connecting.size;
  }

  get #hasRoom(): boolean {
    return this.#parts.hasFree() || this.#count < this.#parts.maxConnections;
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
