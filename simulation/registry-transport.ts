import type {
  RegistryTransport,
  ReplyBody,
  TransportReply,
  TransportRequest,
} from '@rollcall/client-sdk/testing';
import { type RouteName, ROUTES } from '@rollcall/contract';
import type { BareCall, BareReply, EventStream } from '@rollcall/registry-server/testing';
import { ClientBody, Connection, ServerStream } from './connection.ts';
import type { Network } from './network.ts';
import type { Node } from './node.ts';
import type { ServerSlot } from './registry-server.ts';

/** The content of a request, as a server reads it. */
type Said = Pick<BareCall, 'params' | 'query' | 'body'>;

/** An answered call, for the history. */
export interface Answered {
  readonly name: RouteName;
  readonly request: Said;
  readonly sentMs: number;
  readonly reply: BareReply;
}

export interface TransportParts {
  readonly node: Node;
  readonly network: Network;
  readonly servers: readonly ServerSlot[];
  readonly onAnswered: (answered: Answered) => void;
  readonly onSent: (name: RouteName) => void;
  /** An event of a stream, as text, before the client gets it; empty when the client has handled it. */
  readonly onEvent: (text: string) => void;
}

/**
 * Carries the requests of the SDK's real HTTP client over the simulated network to a simulated server: only the texts
 * of path, query and body are transferred. Rounds, timeouts and the parsing of replies stay in the client.
 */
export class SimulatedTransport implements RegistryTransport {
  readonly #parts: TransportParts;

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  send({ method, url, body, signal }: TransportRequest): Promise<TransportReply> {
    const { node, network, servers, onAnswered, onSent, onEvent } = this.#parts;
    const { name, params } = routeOf(method, url.pathname);
    const request: Said = {
      params,
      query: queryOf(url),
      body: body && (JSON.parse(body) as unknown),
    };
    const sentMs = node.timeline.nowMs;
    onSent(name);
    return new Promise((resolve, reject) => {
      const events = new ClientBody(node, onEvent);
      const server: ServerEnd = { isCallerGone: false };
      const fail = (why: string, code = 'ECONNRESET') => {
        const error = Object.assign(new Error(why), { code });
        node.after(0, () => reject(error));
        events.fail(error);
      };
      const connection = new Connection(network, node, url.hostname, {
        client: fail,
        server: () => server.end?.over('peer'),
      });
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
        connection.up.send(() => {
          server.isCallerGone = true;
          server.end?.over('peer');
          connection.close();
        });
      });
      const deliver = (reply: BareReply) => {
        connection.close();
        if (signal.aborted) return;
        onAnswered({ name, request, sentMs, reply });
        resolve(replyOf(reply));
      };
      connection.up.send(() => {
        const process = servers.find((slot) => slot.url === url.origin)?.process;
        if (process === undefined) {
          connection.down.send(() => fail('refused', 'ECONNREFUSED'));
          return;
        }
        connection.accept(process.node);
        const stream = (): EventStream => {
          connection.down.send(() => {
            node.after(0, () => resolve({ status: 200, headers: {}, body: listenedTo(events) }));
          });
          return openStream(server, new ServerStream(process.node, connection, events));
        };
        const serve = async () => {
          const isGone = () => server.isCallerGone;
          const reply = await process.server.call(name, { ...request, stream, isGone });
          if (process.node.isDead || server.end !== undefined) return;
          connection.down.send(() => node.after(0, () => deliver(reply)));
        };
        process.node.after(0, () => void serve());
      });
    });
  }

  async close(): Promise<void> {}
}

/** What the server knows of one request. */
interface ServerEnd {
  end?: ServerStream;
  isCallerGone: boolean;
}

function openStream(server: ServerEnd, end: ServerStream): ServerStream {
  server.end = end;
  if (server.isCallerGone) end.over('peer');
  return end;
}

const PATTERNS = (Object.keys(ROUTES) as RouteName[]).map((name) => {
  const { method, path } = ROUTES[name];
  return {
    name,
    method,
    pattern: new RegExp(`^${path.replaceAll(/:([a-z]+)/g, '(?<$1>[^/]+)')}$`),
  };
});

function routeOf(method: string, path: string) {
  for (const route of PATTERNS) {
    const match = route.method === method ? route.pattern.exec(path) : null;
    if (match === null) continue;
    const named = Object.entries(match.groups ?? {});
    const params = Object.fromEntries(named.map(([key, text]) => [key, decodeURIComponent(text)]));
    return { name: route.name, params };
  }
  throw new Error(`no route for ${method} ${path}`);
}

function queryOf({ searchParams }: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const key of new Set(searchParams.keys())) {
    const values = searchParams.getAll(key);
    query[key] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}

/** A stream: it can only be listened to, not read to its end. */
function listenedTo(events: ClientBody): ReplyBody {
  return Object.assign(events, {
    [Symbol.asyncIterator]: () => {
      throw new Error('a stream is listened to');
    },
  });
}

/** A complete reply, which is available at once. */
function replyOf({ status, retryAfterSeconds, body }: BareReply): TransportReply {
  const text = body === undefined ? '' : JSON.stringify(body);
  return {
    status,
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` },
    body: {
      on() {
        throw new Error('a whole reply is read');
      },
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(text);
      },
    },
  };
}
