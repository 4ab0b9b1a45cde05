import { PROBLEMS } from '@rollcall/contract';
import type { ConnectionEvents, ConnectionState, Logger } from '../api/connection.ts';
import { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import type { Runtime } from '../base/runtime.ts';

/** Errors that mean that no registry answered. */
const SILENCE: ReadonlySet<string> = new Set(['registry_unreachable', 'registry_garbled']);

/** Follows whether the registry answers, from the outcome of each request and stream. */
export class Connection {
  readonly events: Emitter<ConnectionEvents>;
  readonly #urls: ReadonlySet<string>;
  readonly #logger: Logger | undefined;
  readonly #silent = new Set<string>();
  #state: ConnectionState = 'idle';
  #isClosed = false;

  constructor(
    urls: readonly string[],
    { runtime, logger }: { readonly runtime: Runtime; readonly logger?: Logger | undefined },
  ) {
    this.#urls = new Set(urls);
    this.#logger = logger;
    this.events = new Emitter(runtime);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The outcome of `ask`, which sends one request to this server. */
  async observe<T>(url: string, ask: () => Promise<T>): Promise<T> {
    this.#begin();
    try {
      const reply = await ask();
      this.heard(url);
      return reply;
    } catch (error) {
      // Anything else is the caller's own abort.
      if (error instanceof RollcallError) this.#refused(url, error);
      throw error;
    }
  }

  #begin(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'connecting';
    this.#logger?.info(`connecting to the registry: ${[...this.#urls].join(', ')}`);
    this.events.emit('connecting');
  }

  /** The client is closed: requests that end now say nothing about the registry. */
  close(): void {
    this.#isClosed = true;
  }

  #refused(url: string, error: RollcallError): void {
    if (SILENCE.has(error.code)) this.#unanswered(url, error);
    // Other errors of the client itself were never sent.
    else if (error.code in PROBLEMS) this.heard(url);
  }

  /** A server has answered, or a stream of it has delivered something. */
  heard(url: string): void {
    this.#silent.clear();
    if (this.#state === 'connected' || this.#isClosed) return;
    this.#state = 'connected';
    this.#logger?.info(`the registry answers: ${url}`);
    this.events.emit('connected', url);
  }

  #unanswered(url: string, error: RollcallError): void {
    this.#silent.add(url);
    if (this.#silent.size < this.#urls.size || this.#state === 'unreachable') return;
    if (this.#isClosed) return;
    this.#state = 'unreachable';
    this.#logger?.warn(`no registry answers, and it is tried again: ${error.message}`);
    this.events.emit('unreachable', error);
  }
}
