import { Client } from 'undici';
import type { Tally } from './tally.ts';

const TIMEOUT_MS = 10_000;

export interface HostOptions {
  readonly port: number;
  /** Number of this host among the simulated hosts. */
  readonly number: number;
  /** Uses a new connection for each call, like curl, instead of a permanent one. */
  readonly isFresh: boolean;
}

/** A machine of the cluster: it has its own address, so that the limits per caller apply to each one separately. */
export class Host {
  readonly #client: Client;

  constructor({ port, number, isFresh }: HostOptions) {
    const localAddress = `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    this.#client = new Client(`http://127.0.0.1:${port}`, {
      localAddress,
      pipelining: isFresh ? 0 : 1,
      allowH2: false,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
  }

  /** Makes a call and counts it; returns the body, or undefined when it was refused or failed. Never rejects. */
  async call(
    tally: Tally,
    method: 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    { path, body }: { readonly path: string; readonly body?: object },
  ): Promise<string | undefined> {
    const startMs = performance.now();
    const content =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    try {
      const reply = await this.#client.request({ method, path, ...content });
      const text = await reply.body.text();
      const { statusCode } = reply;
      if (statusCode < 300) {
        tally.times.push(performance.now() - startMs);
        return text;
      }
      if (statusCode === 429 || statusCode === 503) tally.refused++;
      else tally.errors++;
    } catch {
      tally.errors++;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}
