import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EndpointChannel, OwnConnections } from '../calls/endpoint-channel.ts';
import type { CallOptions } from '../api/options.ts';
import type { Runtime } from '../base/runtime.ts';
import {
  type ClientRequest,
  type OnSocket,
  PlainAgent,
  SecureAgent,
  type SocketOptions,
} from './agent-internals.ts';
import { RequestQueue } from './request-queue.ts';

/** Told when a request gets no connection; true: it goes elsewhere. */
type OnNoConnection = (request: ClientRequest, error: Error) => boolean;

interface EndpointAgentOptions {
  readonly channel: EndpointChannel;
  readonly calls: CallOptions;
  readonly runtime: Runtime;
  readonly onNoConnection: OnNoConnection;
}

export interface EndpointAgent extends OwnConnections {
  /** Gives the request a connection to the endpoint, as soon as there may be one more. */
  addRequest(request: ClientRequest, options: SocketOptions): void;
  /** The request was destroyed before it had a connection. */
  forget(request: ClientRequest, reason?: Error): void;
}

/** The connections of Node.js's http module to one endpoint. */
export function createEndpointAgent(options: EndpointAgentOptions): EndpointAgent {
  return options.channel.tls === undefined
    ? new PlainEndpointAgent(options)
    : new SecureEndpointAgent(options);
}

/** The same class over the agents of both protocols. */
function overAgent(Base: typeof PlainAgent, readyEvent: 'connect' | 'secureConnect') {
  return class extends Base implements EndpointAgent {
    readonly #options: EndpointAgentOptions;
    readonly #queue: RequestQueue;
    /** The request for which a connection is being made, during the call that makes it. */
    #opening: ClientRequest | undefined;

    constructor(options: EndpointAgentOptions) {
      super({ keepAlive: true });
      this.#options = options;
      this.#queue = new RequestQueue({
        maxConnections: options.calls.maxConnections,
        used: () => countOf(this.sockets),
        hasFree: () => hasOpen(this.freeSockets),
        serve: (request, given) => super.addRequest(request, given),
      });
      this.on('free', () => this.#queue.goOn());
    }

    override addRequest(request: ClientRequest, given: SocketOptions): void {
      const { host, port, tls } = this.#options.channel;
      // What the request says of its host is for the instance to read; the connection goes to its address.
      // Node.js made these options for this request, and copies them once more.
      this.#queue.add(request, Object.assign(given, tls, { host, port, path: null }));
    }

    override createSocket(request: ClientRequest, given: SocketOptions, onSocket: OnSocket): void {
      this.#opening = request;
      super.createSocket(request, given, (error, socket) => {
        this.#queue.connecting.delete(request);
        for (const end of ['close', 'agentRemove']) socket?.once(end, () => this.#queue.goOn());
        const isElsewhere = error !== null && this.#options.onNoConnection(request, error);
        if (!isElsewhere) onSocket(error, socket);
        if (error !== null) this.#queue.goOn();
      });
      this.#opening = undefined;
    }

    /** Answers once the connection is made: until then the request has written nothing, and may go elsewhere. */
    override createConnection(given: SocketOptions, onSocket: OnSocket): undefined {
      const socket = super.createConnection(given, () => {}) as Socket;
      if (this.#opening !== undefined) this.#queue.connecting.set(this.#opening, socket);
      whenReady(socket, readyEvent, this.#options, onSocket);
      return undefined;
    }

    override keepSocketAlive(socket: Socket): boolean {
      if (this.#queue.isClosed || !super.keepSocketAlive(socket)) return false;
      limitIdle(socket, this.#options.calls.keepAliveMs);
      return true;
    }

    override reuseSocket(socket: Socket, request: ClientRequest): void {
      // That was the time for an idle connection.
      socket.setTimeout(0);
      super.reuseSocket(socket, request);
    }

    forget(request: ClientRequest, reason?: Error): void {
      this.#queue.forget(request, reason);
    }

    close(): Promise<void> {
      for (const free of socketsOf(this.freeSockets)) free.destroy();
      return this.#queue.close();
    }

    override destroy(): void {
      this.#queue.destroy();
      super.destroy();
    }
  };
}

/** Ends an idle connection in time, unless its server has announced a shorter one. */
function limitIdle(socket: Socket, keepAliveMs: number): void {
  const { timeout = 0 } = socket;
  if (timeout === 0 || timeout > keepAliveMs) socket.setTimeout(keepAliveMs);
}

/** Tells of a new connection once it is made, or cannot be made in time. */
function whenReady(
  socket: Socket,
  readyEvent: 'connect' | 'secureConnect',
  { calls, runtime, channel: { host, port } }: EndpointAgentOptions,
  onSocket: OnSocket,
): void {
  const ms = calls.connectTimeoutMs;
  const late = runtime.after(ms, () => {
    const message = `connect ETIMEDOUT ${host}:${port} after ${ms} ms`;
    socket.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  });
  const onReady = () => {
    late.cancel();
    socket.off('error', onError);
    onSocket(null, socket);
  };
  const onError = (error: Error) => {
    late.cancel();
    socket.off(readyEvent, onReady);
    onSocket(error);
  };
  socket.once(readyEvent, onReady);
  socket.once('error', onError);
}

type Sockets = Readonly<Record<string, readonly Duplex[] | undefined>>;

function countOf(table: Sockets): number {
  let count = 0;
  for (const name in table) count += table[name]?.length ?? 0;
  return count;
}

function hasOpen(table: Sockets): boolean {
  for (const name in table) if (table[name]?.some(({ destroyed }) => !destroyed)) return true;
  return false;
}

const socketsOf = (table: Sockets): Duplex[] =>
  Object.values(table).flatMap((sockets = []) => [...sockets]);

const PlainEndpointAgent = overAgent(PlainAgent, 'connect');
const SecureEndpointAgent = overAgent(SecureAgent, 'secureConnect');
