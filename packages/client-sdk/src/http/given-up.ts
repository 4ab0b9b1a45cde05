import type { Timer } from '@rollcall/runtime';
import type { Runtime } from '../base/runtime.ts';
import type { ClientRequest } from './agent-internals.ts';

const GIVEN_UP = Symbol('what is done when the caller gives a request up');

/** Whose request it is. */
interface RequestUser {
  /** The caller destroyed the request. */
  onGivenUp(reason?: Error): void;
}

interface Watched extends ClientRequest {
  [GIVEN_UP]?: GivenUp;
}

/**
 * Tells when the caller gives up a request that waits for a connection, and counts its timeout meanwhile. Node.js itself
 * does both only once the request has a connection, which with its own agent it has at once.
 */
export class GivenUp {
  readonly #request: ClientRequest;
  readonly #runtime: Runtime;
  readonly #user: RequestUser;
  #isWaiting = true;
  #late: Timer | undefined;

  constructor(request: Watched, runtime: Runtime, user: RequestUser) {
    this.#request = request;
    this.#runtime = runtime;
    this.#user = user;
    request[GIVEN_UP] = this;
    // The same functions for every request: a closure for each would cost more than the rest.
    request.destroy = destroyWatched;
    request.setTimeout = setTimeoutWatched;
    if (request.timeout !== undefined) this.arm(request.timeout);
  }

  /** It has a connection, which counts the time from here on, or is over. */
  stopWaiting(): void {
    this.#isWaiting = false;
    this.#late?.cancel();
  }

  arm(ms: number): void {
    this.#late?.cancel();
    const request = this.#request;
    if (ms === 0 || !this.#isWaiting) return;
    this.#late = this.#runtime.after(ms, () => {
      if (request.socket === null && !request.destroyed) request.emit('timeout');
    });
  }

  destroy(error: Error | undefined): void {
    const isFirst = !this.#request.destroyed;
    prototypeOf(this.#request).destroy.call(this.#request, error);
    if (isFirst) this.#user.onGivenUp(error);
  }
}

const prototypeOf = (request: ClientRequest) => Object.getPrototypeOf(request) as ClientRequest;

function destroyWatched(this: Watched, error?: Error): Watched {
  this[GIVEN_UP]!.destroy(error);
  return this;
}

function setTimeoutWatched(this: Watched, ms: number, callback?: () => void): Watched {
  prototypeOf(this).setTimeout.call(this, ms, callback);
  this[GIVEN_UP]!.arm(ms);
  return this;
}
