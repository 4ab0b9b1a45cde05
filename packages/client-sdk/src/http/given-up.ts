import type { Timer } from '@rollcall/runtime';
import type { Runtime } from '../base/runtime.ts';
import type { ClientRequest } from './agent-internals.ts';

/**
 * Tells when the caller gives a request up. Node.js itself tells it only once the request has a connection, and counts
 * its timeout only from then on: with an agent of its own a request has one at once, here it may wait for one.
 */
export class GivenUp {
  /** Whether the caller destroyed the request. */
  isGivenUp = false;
  readonly #request: ClientRequest;
  readonly #runtime: Runtime;
  #late: Timer | undefined;

  constructor(request: ClientRequest, runtime: Runtime, onGivenUp: (reason?: Error) => void) {
    this.#request = request;
    this.#runtime = runtime;
    const destroy = request.destroy.bind(request);
    const setTime = request.setTimeout.bind(request);
    request.destroy = (error) => {
      const isFirst = !this.isGivenUp && !request.destroyed;
      if (isFirst) this.isGivenUp = true;
      destroy(error);
      if (isFirst) onGivenUp(error);
      return request;
    };
    request.setTimeout = (ms, callback) => {
      setTime(ms, callback);
      this.#arm(ms);
      return request;
    };
    if (request.timeout !== undefined) this.#arm(request.timeout);
    // From here on the connection counts.
    request.once('socket', () => this.#late?.cancel());
    request.once('close', () => this.#late?.cancel());
  }

  #arm(ms: number): void {
    this.#late?.cancel();
    const request = this.#request;
    if (ms === 0 || request.socket !== null) return;
    this.#late = this.#runtime.after(ms, () => {
      if (request.socket === null && !request.destroyed) request.emit('timeout');
    });
  }
}
