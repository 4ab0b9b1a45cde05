import type { ResolvedOptions } from '../api/options.ts';
import { Agent, requestBy } from '../undici/undici.ts';
import type { RegistryTransport, TransportReply, TransportRequest } from '../base/transport.ts';

/** HTTP/1.1 over its own connections. */
export class UndiciTransport implements RegistryTransport {
  readonly #agent: InstanceType<typeof Agent>;

  constructor({ ca, connect, connectTimeoutMs, requestTimeoutMs }: ResolvedOptions) {
    this.#agent = new Agent({
      allowH2: false,
      headersTimeout: requestTimeoutMs,
      bodyTimeout: requestTimeoutMs,
      connect: {
        ...(ca === undefined ? {} : { ca: ca as string }),
        ...connect,
        timeout: connectTimeoutMs,
      },
    });
  }

  async send(request: TransportRequest): Promise<TransportReply> {
    const { method, url, headers, body, signal, timeoutMs } = request;
    const { statusCode, ...reply } = await requestBy(this.#agent, {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(timeoutMs === 0 ? {} : { headersTimeout: timeoutMs }),
      bodyTimeout: timeoutMs,
      signal,
    });
    return { status: statusCode, headers: reply.headers, body: reply.body };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
