import type * as Http from 'node:http';
import type * as Https from 'node:https';
import type { Socket } from 'node:net';
import type { ResolvedOptions } from '../api/options.ts';
import type { Runtime } from '../base/runtime.ts';
import type { RegistryTransport, TransportReply, TransportRequest } from '../base/transport.ts';

// An `import` of node:http takes all its names, `WebSocket` too, for which Node.js loads its whole undici: 13 MB that a
// process which only registers does not need.
const http: typeof Http = process.getBuiltinModule('node:http');

/** How long an idle connection is kept, in ms, unless the server announces that it keeps it for less. */
const IDLE_MS = 4_000;

/** How requests of one protocol are sent, and over which connections. */
interface Way {
  readonly send: typeof Http.request;
  readonly agent: Http.Agent;
}

/** HTTP/1.1 over its own connections. */
export class HttpTransport implements RegistryTransport {
  readonly #options: Https.AgentOptions;
  readonly #ways = new Map<string, Way>();
  readonly #connectTimeoutMs: number;
  readonly #runtime: Pick<Runtime, 'after'>;
  #isClosed = false;

  constructor({
    ca,
    connect,
    connectTimeoutMs,
    runtime,
  }: Pick<ResolvedOptions, 'ca' | 'connect' | 'connectTimeoutMs' | 'runtime'>) {
    this.#runtime = runtime;
    // Node.js takes bytes for a certificate, its types only their Buffer.
    const trusted = ca === undefined ? {} : { ca: ca as string };
    this.#options = { ...trusted, ...connect, keepAlive: true, timeout: IDLE_MS };
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  send(given: TransportRequest): Promise<TransportReply> {
    const { method, url, headers, body, signal, timeoutMs, keepsAlive = true } = given;
    const { send, agent } = this.#way(url.protocol);
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Error('the client was closed');
      const options = { method, headers, agent, signal, timeout: timeoutMs };
      const request = send(url, options);
      const ready = url.protocol === 'https:' ? 'secureConnect' : 'connect';
      request.on('socket', (socket) => this.#boundConnect(request, socket, ready));
      request.on('timeout', () => request.destroy(silence(`nothing came for ${timeoutMs} ms`)));
      request.on('response', (reply) => {
        if (!keepsAlive) reply.socket.unref();
        resolve({ status: reply.statusCode!, headers: reply.headers, body: reply });
      });
      // Once there is a reply, its body tells of a failure.
      request.on('error', reject);
      // Also of an answer that is none, such as 101.
      request.on('close', () => reject(new Error('the connection was closed without an answer')));
      request.end(body);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { agent } of this.#ways.values()) agent.destroy();
  }

  #way(protocol: string): Way {
    const known = this.#ways.get(protocol);
    if (known !== undefined) return known;
    // TLS takes 6 MB, so it is loaded only where it is used.
    const { request, Agent } =
      protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
    const made = { send: request, agent: new Agent(this.#options) };
    this.#ways.set(protocol, made);
    return made;
  }

  #boundConnect(
    request: Http.ClientRequest,
    socket: Socket,
    ready: 'connect' | 'secureConnect',
  ): void {
    if (!socket.connecting) return;
    const limitMs = this.#connectTimeoutMs;
    const onLate = () => request.destroy(silence(`no connection within ${limitMs} ms`));
    const timer = this.#runtime.after(limitMs, onLate, { keepsAlive: true });
    const end = () => timer.cancel();
    socket.once(ready, end);
    socket.once('close', end);
  }
}

const silence = (message: string) => Object.assign(new Error(message), { code: 'ETIMEDOUT' });
