import { get } from 'node:http';
import { type Endpoint, Rollcall } from '@rollcall/client-sdk';
import { type RegistryServer, startRegistryServer } from '@rollcall/registry-server';
import { limits, MemoryStore } from '@rollcall/registry-server/store';
import { type Clock, systemClock, systemRandom } from '@rollcall/runtime';
import { loopTurn } from '../clock/loop-turn.ts';
import { readRoll } from './read-roll.ts';
import type { ServerLogger, ServerOptions } from './server-options.ts';
import { SeverableStore } from './severable-store.ts';

export interface ServerParts {
  readonly options: ServerOptions;
  /** Empty = none is needed. */
  readonly tokens: readonly string[];
  /** One of them, with every right. */
  readonly token: string | undefined;
  readonly logger: ServerLogger | undefined;
  readonly clock: Clock;
}

/** How long a server may take until it answers, in ms. */
const START_LIMIT_MS = 10_000;
const LOG_ENTRIES = 100_000;

/**
 * What differs from a server in production: a test must not wait for a warm-up, has one caller for everything, and may
 * block the process that it shares with the server.
 */
const FOR_TESTS = {
  warmUpMs: 0,
  maxWritesPerSecond: 0,
  maxHeartbeatsPerSecond: 0,
  maxReadsPerSecond: 0,
  maxSnapshotsPerSecond: 0,
  maxLoopDelayMs: 0,
} satisfies ServerOptions;

interface Running {
  readonly server: RegistryServer;
  readonly store: SeverableStore;
  /** Lives in real time, with nothing in between. */
  readonly reader: Rollcall;
}

/** Registry servers, one after another, over a store in memory that outlives them. */
export class ServerSlot {
  readonly #parts: ServerParts;
  #store: MemoryStore;
  #running: Running | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#store = this.#createStore();
  }

  /** The server that runs, or an address where nobody listens. */
  get url(): URL {
    return new URL(this.#running?.server.url ?? 'http://127.0.0.1:1');
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Starts a server; resolves once it answers. `isEmpty`: its store has lost everything. Then it asks callers to wait for
   * the instances to return, as a server in production does, unless the options say otherwise.
   */
  async start({ isEmpty = false } = {}): Promise<void> {
    if (this.#running !== undefined) return;
    if (isEmpty) this.#store = this.#createStore();
    const { options, tokens, logger, clock } = this.#parts;
    const { warmUpMs, ...rest } = FOR_TESTS;
    const store = new SeverableStore(this.#store);
    const server = await startRegistryServer(
      {
        ...rest,
        ...(isEmpty ? {} : { warmUpMs }),
        ...options,
        token: [...tokens],
        host: '127.0.0.1',
        port: 0,
        // It is only ever killed, and its clock may stand still.
        shutdownMs: 0,
        store,
      },
      { clock, hasDocs: false, ...(logger === undefined ? {} : { logger }) },
    );
    const { token } = this.#parts;
    const access = token === undefined ? {} : { token };
    this.#running = { server, store, reader: new Rollcall({ url: server.url, ...access }) };
    await answers(server.url);
  }

  /** Kills the server: nothing of it reaches its store or its clients any more. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.store.sever();
    await Promise.all([running?.server.close(), running?.reader.close()]);
  }

  /** The endpoints that the server has; none while no server runs. */
  async endpoints(namespace: string, service: string): Promise<readonly Endpoint[]> {
    return this.#running === undefined ? [] : readRoll(this.#running.reader, namespace, service);
  }

  #createStore(): MemoryStore {
    const { clock, options } = this.#parts;
    const { guardMs = limits.DEFAULT_GUARD_MS, logEntries = LOG_ENTRIES } = options;
    return new MemoryStore({ clock, epoch: systemRandom.hex(8), logLength: logEntries, guardMs });
  }
}

/** Its clock may stand still, so it is asked again at once. */
async function answers(url: string): Promise<void> {
  const endMs = systemClock.monotonicMs() + START_LIMIT_MS;
  while (!(await isReady(url))) {
    if (systemClock.monotonicMs() > endMs)
      throw new Error(`the registry at ${url} is not ready after ${START_LIMIT_MS} ms`);
    await loopTurn();
  }
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(`${url}/readyz`, { agent: false }, (reply) => {
      reply.resume();
      reply.once('end', () => resolve(reply.statusCode === 200));
    });
    asked.once('error', () => resolve(false));
  });
}
