import type { Dispatcher } from 'undici';

/** One way of calling: makes a call, and calls back when its answer has come whole. */
export interface Way {
  call(done: () => void): void;
  close(): Promise<unknown>;
}

/** What every way asks for. */
export const REQUEST = { method: 'GET', path: '/' } as const;

/** Connections to each backend that every way may open. */
export const CONNECTIONS = 256;

/** As little as a caller of `dispatch` can do with an answer. */
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

/** Reads an answer of `request` to its end. */
export async function drain(
  reply: Promise<Dispatcher.ResponseData>,
  done: () => void,
): Promise<void> {
  await (await reply).body.dump();
  done();
}
