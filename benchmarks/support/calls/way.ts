import { Rollcall } from '@rollcall/client-sdk';
import type { Dispatcher } from 'undici';

/** One way of calling: makes a call, and calls back when its response is complete. */
export interface Way {
  call(done: () => void): void;
  close(): Promise<unknown>;
}

export interface Surroundings {
  readonly registryUrl: string;
  /** Ports of the instances. */
  readonly backends: readonly number[];
}

/** Ways of calling, by name. */
export type Ways = Readonly<Record<string, (given: Surroundings) => Promise<Way>>>;

/** The request of every way. */
export const REQUEST = { method: 'GET', path: '/' } as const;

/** Maximum number of connections to each backend, for every way. */
export const CONNECTIONS = 256;

/** The least work that a caller of `dispatch` can do with a response. */
export class CountingHandler implements Dispatcher.DispatchHandler {
  readonly #done: () => void;

  constructor(done: () => void) {
    this.#done = done;
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number): void {
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#done();
  }

  onResponseError(_: unknown, error: Error): void {
    throw error;
  }
}

/** Reads a response of `request` to its end. */
export async function drain(
  reply: Promise<Dispatcher.ResponseData>,
  done: () => void,
): Promise<void> {
  await (await reply).body.dump();
  done();
}

const SERVICE = 'orders';

/** A client that knows all instances. */
export async function openRollcall({ registryUrl, backends }: Surroundings) {
  const calls = { maxConnections: CONNECTIONS };
  const rollcall = new Rollcall({ url: registryUrl, policy: 'p2c', calls });
  const service = rollcall.service(SERVICE);
  await service.ready({ endpoints: backends.length });
  return { rollcall, service };
}

/** One after another, for ever. */
export function inTurn<T>(all: readonly T[]): () => T {
  let at = 0;
  return () => {
    at = at + 1 === all.length ? 0 : at + 1;
    return all[at]!;
  };
}
