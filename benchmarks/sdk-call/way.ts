import type { Dispatcher } from 'undici';

/** One way of calling: makes a call, and calls back when its response is complete. */
export interface Way {
  call(done: () => void): void;
  close(): Promise<unknown>;
}

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
