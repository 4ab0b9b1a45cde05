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

/** Told when a request gets no connection; true: it goes elsewhere. */
type OnNoConnection = (request: ClientRequest, error: Error) => boolean;

interface EndpointAgentOptions {
  readonly channel: EndpointChannel;
  readonly calls: CallOptions;
  readonly runtime: Runtime;
  readonly onNoConnection: OnNoConnection;
}

export interface EndpointAgent extends OwnConnections {
  /** Gives the request a connection to the endpoint. */
  addRequest(request: ClientRequest, options: SocketOptions): void;
}

/** The connections of Node.js's http module to one endpoint. */
export function createEndpointAgent(options: EndpointAgentOptions): EndpointAgent {
  return options.channel.tls === undefined
    ? new PlainEndpointAgent(options)
    : new SecureEndpointAgent(options);
}

/** The same class over the agents of both protocols: they have no common one that could be told apart later. */
function overAgent(Base: typeof PlainAgent, readyEvent: 'connect' | 'secureConnect') {
  return class extends Base implements EndpointAgent {
    readonly #options: EndpointAgentOptions;
    #closed: PromiseWithResolvers<void> | undefined;

    constructor(options: EndpointAgentOptions) {
      super({ keepAlive: true, timeout: options.calls.keepAliveMs });
      this.#options = options;
    }

    override addRequest(request: ClientRequest, given: SocketOptions): void {
      const { channel } = this.#options;
      const { host, port, tls } = channel;
      // What the request says of its host is for the instance to read; the connection goes to its address.
      super.addRequest(request, { ...given, ...tls, host, port, path: null });
    }

    override createSocket(request: ClientRequest, given: SocketOptions, onSocket: OnSocket): void {
      super.createSocket(request, given, (error, socket) => {
        if (error !== null && this.#options.onNoConnection(request, error)) return;
        onSocket(error, socket);
      });
    }

    /** Answers once the connection is made: until then the request has written nothing, and may go elsewhere. */
    override createConnection(given: SocketOptions, onSocket: OnSocket): undefined {
      const socket = super.createConnection(given, () => {}) as Socket;
      whenReady(socket, readyEvent, this.#options, onSocket);
      return undefined;
    }

    override keepSocketAlive(socket: Duplex): boolean {
      if (this.#closed === undefined) return super.keepSocketAlive(socket);
      return false;
    }

    close(): Promise<void> {
      if (this.#closed !== undefined) return this.#closed.promise;
      this.#closed = Promise.withResolvers();
      for (const free of socketsOf(this.freeSockets)) free.destroy();
      const used = new Set(socketsOf(this.sockets));
      if (used.size === 0) this.#closed.resolve();
      for (const socket of used) {
        socket.once('close', () => {
          used.delete(socket);
          if (used.size === 0) this.#closed?.resolve();
        });
      }
      return this.#closed.promise;
    }
  };
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

const socketsOf = (table: Readonly<Record<string, readonly Duplex[] | undefined>>): Duplex[] =>
  Object.values(table).flatMap((sockets = []) => [...sockets]);

const PlainEndpointAgent = overAgent(PlainAgent, 'connect');
const SecureEndpointAgent = overAgent(SecureAgent, 'secureConnect');
