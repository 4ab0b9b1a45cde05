import { RollcallError } from '@rollcall/client-sdk';
import {
  type CallRequest,
  errorOfReply,
  type RegistryApi,
  type ReplyOf,
} from '@rollcall/client-sdk/testing';
import type { RouteName } from '@rollcall/contract';
import type { BareCall, BareReply } from '@rollcall/registry-server/testing';
import { ClientBody, Connection, ServerStream } from './connection.ts';
import type { Network } from './network.ts';
import type { Node } from './node.ts';
import type { ServerSlot } from './registry-server.ts';

const REQUEST_TIMEOUT_MS = 2_000;
const BETWEEN_TRIES_MS = 20;

/** A call that was answered, for who keeps the history. */
export interface Answered {
  readonly name: RouteName;
  readonly request: CallRequest;
  readonly sentMs: number;
  readonly reply: BareReply;
}

export interface ApiParts {
  readonly node: Node;
  readonly network: Network;
  readonly servers: readonly ServerSlot[];
  readonly onAnswered: (answered: Answered) => void;
  readonly onSent: (name: RouteName) => void;
  /** An event of a stream, as text, before the client has it; empty when the client is done with it. */
  readonly onEvent: (text: string) => void;
}

/** The registry as a client in the simulation reaches it: the rounds of the SDK's own client, over the simulated network. */
export class SimulatedApi implements RegistryApi {
  readonly urls: readonly string[];
  readonly #parts: ApiParts;
  #at: number;

  constructor(parts: ApiParts) {
    this.#parts = parts;
    this.urls = parts.servers.map(({ url }) => url);
    this.#at = parts.node.random.below(this.urls.length);
  }

  async call<N extends RouteName>(name: N, request: CallRequest): Promise<ReplyOf<N>> {
    const tries = Math.max(this.urls.length, 2);
    for (let i = 1; ; i++) {
      const at = this.#at;
      try {
        return (await this.#attempt(this.urls[at] as string, name, request)) as ReplyOf<N>;
      } catch (error) {
        if (!(error instanceof RollcallError) || !error.retryable) throw error;
        if (at === this.#at) this.#at = (at + 1) % this.urls.length;
        const isSingle = this.urls.length === 1 && error.code !== 'registry_unreachable';
        if (i === tries || isSingle) throw error;
      }
      await this.#pause(BETWEEN_TRIES_MS, request.signal);
    }
  }

  callAt<N extends RouteName>(url: string, name: N, request: CallRequest): Promise<ReplyOf<N>> {
    return this.#attempt(url, name, request) as Promise<ReplyOf<N>>;
  }

  open(url: string, path: string, signal: AbortSignal): Promise<{ readonly body: ClientBody }> {
    const { node, network } = this.#parts;
    const { pathname, searchParams } = new URL(path, url);
    const query: Record<string, string | string[]> = {};
    for (const key of new Set(searchParams.keys())) {
      const values = searchParams.getAll(key);
      query[key] = values.length === 1 ? (values[0] as string) : values;
    }
    const name = pathname.endsWith('/watch') ? 'watch' : 'hold';
    this.#parts.onSent(name);
    return new Promise((resolve, reject) => {
      const body = new ClientBody(node, this.#parts.onEvent);
      let serverEnd: ServerStream | undefined;
      let isGone = false;
      const fail = (why: string) => {
        timer.cancel();
        node.after(0, () => reject(unreachable(url, why)));
        body.fail(new Error(why));
      };
      const timer = node.after(REQUEST_TIMEOUT_MS, () => {
        fail('timed out');
      });
      const connection = new Connection(network, node, hostOf(url), {
        client: fail,
        server: () => serverEnd?.over('peer'),
      });
      signal.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason as Error);
        connection.up.send(() => {
          isGone = true;
          serverEnd?.over('peer');
          connection.close();
        });
      });
      this.#request(url, connection, fail, (process) => {
        const stream = () => {
          serverEnd = new ServerStream(process.node, connection, body);
          if (isGone) serverEnd.over('peer');
          connection.down.send(() => {
            node.after(0, () => {
              timer.cancel();
              resolve({ body });
            });
          });
          return serverEnd;
        };
        return [
          name,
          { query, stream, isGone: () => isGone },
          (reply) => {
            timer.cancel();
            if (reply.status === 200) return;
            connection.close();
            reject(errorOf(reply));
          },
        ];
      });
    });
  }

  async close(): Promise<void> {}

  #attempt(url: string, name: RouteName, request: CallRequest): Promise<unknown> {
    const { node, network, onAnswered, onSent } = this.#parts;
    const { params = {}, query = {}, body, signal, timeoutMs = REQUEST_TIMEOUT_MS } = request;
    const given: Record<string, string> = {};
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) given[key] = String(value);
    }
    const sentMs = node.timeline.nowMs;
    onSent(name);
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        timer.cancel();
        act();
      };
      const fail = (why: string) => {
        node.after(0, () => end(() => reject(unreachable(url, why))));
      };
      const timer = node.after(timeoutMs, () => reject(unreachable(url, 'timed out')));
      const connection = new Connection(network, node, hostOf(url), {
        client: fail,
        server: () => {},
      });
      signal?.addEventListener('abort', () => end(() => reject(signal.reason as Error)));
      // As on the wire: what one side changes later, the other does not see.
      const sent = structuredClone({ params: { ...params }, query: given, body });
      this.#request(url, connection, fail, () => {
        return [
          name,
          sent,
          (reply) => {
            connection.close();
            if (node.isDead) return;
            onAnswered({ name, request, sentMs, reply });
            end(() => (isDone(reply) ? resolve(reply.body) : reject(errorOf(reply))));
          },
        ];
      });
    });
  }

  /** Carries a request to whoever listens when it arrives, and what it is answered with back. */
  #request(
    url: string,
    connection: Connection,
    fail: (why: string) => void,
    prepare: (
      process: NonNullable<ServerSlot['process']>,
    ) => readonly [RouteName, BareCall, (reply: BareReply) => void],
  ): void {
    const { node, servers } = this.#parts;
    const slot = servers.find((one) => one.url === url);
    connection.up.send(() => {
      const process = slot?.process;
      if (process === undefined) {
        connection.down.send(() => fail('refused'));
        return;
      }
      connection.accept(process.node);
      process.node.after(0, () => {
        const [name, call, answer] = prepare(process);
        const send = async () => {
          const reply = await process.server.call(name, call);
          if (!process.node.isDead) connection.down.send(() => node.after(0, () => answer(reply)));
        };
        void send();
      });
    });
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.node.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason as Error);
      });
    });
  }
}

const hostOf = (url: string) => new URL(url).hostname;
const isDone = ({ status }: BareReply) => status < 300;

function errorOf({ status, retryAfterSeconds, body }: BareReply): RollcallError {
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` };
  return errorOfReply(status, headers, JSON.stringify(body));
}

function unreachable(url: string, why: string): RollcallError {
  return new RollcallError('registry_unreachable', `${url} gave no answer: ${why}`);
}
