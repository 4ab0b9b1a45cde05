import type { ConnectionEvents, ConnectionState, Logger } from '../api/connection.ts';
import { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import type { Runtime } from '../base/runtime.ts';

/** Errors that mean that no registry answered. Every other one is an answer. */
const SILENCE: ReadonlySet<string> = new Set(['registry_unreachable', 'registry_garbled']);

/** Follows whether the registry answers, from the outcome of each request and stream. */
export class Connection {
  readonly events: Emitter<ConnectionEvents>;
  readonly #urls: readonly string[];
  readonly #logger: Logger | undefined;
  readonly #silent = new Set<string>();
  #state: ConnectionState = 'idle';

  constructor(
    urls: readonly string[],
    { runtime, logger }: { readonly runtime: Runtime; readonly logger?: Logger | undefined },
  ) {
    this.#urls = urls;
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
      this.#answered(url);
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
    this.#logger?.info(`connecting to the registry: ${this.#urls.join(', ')}`);
    this.events.emit('connecting');
  }

  #refused(url: string, error: RollcallError): void {
    if (SILENCE.has(error.code)) this.#unanswered(url, error);
    else this.#answered(url);
  }

  #answered(url: string): void {
    this.#silent.clear();
    if (this.#state === 'connected') return;
    this.#state = 'connected';
    this.#logger?.info(`the registry answers: ${url}`);
    this.events.emit('connected', url);
  }

  #unanswered(url: string, error: RollcallError): void {
    this.#silent.add(url);
    if (this.#silent.size < this.#urls.length || this.#state === 'unreachable') return;
    this.#state = 'unreachable';
    this.#logger?.warn(`no registry answers, and it is tried again: ${error.message}`);
    this.events.emit('unreachable', error);
  }
}
