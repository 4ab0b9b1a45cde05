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
import { whenConnected } from './connect-wait.ts';
import { IdleConnections } from './idle-connections.ts';
import { RequestQueue } from './request-queue.ts';
import { socketsOf } from './socket-table.ts';

/** Told what becomes of requests. */
export interface RequestFate {
  /** The request is given a connection, before it knows. */
  onConnection(request: ClientRequest, socket: Duplex): void;
  /** It gets none. @returns whether it goes elsewhere. */
  onNoConnection(request: ClientRequest, error: Error): boolean;
}

interface EndpointAgentOptions {
  readonly channel: EndpointChannel;
  readonly calls: CallOptions;
  readonly runtime: Runtime;
  readonly fate: RequestFate;
}

export interface EndpointAgent extends OwnConnections {
  /** Gives the request a connection to the endpoint, as soon as there may be one more. */
  addRequest(request: ClientRequest, options: SocketOptions): void;
  /** The requests that have no connection yet. */
  readonly queue: RequestQueue;
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
    readonly queue: RequestQueue;
    readonly #idle: IdleConnections;
    /** The request for which a connection is being made, during the call that makes it. */
    #opening: ClientRequest | undefined;

    constructor(options: EndpointAgentOptions) {
      super({ keepAlive: true });
      const { runtime, calls } = options;
      this.#options = options;
      this.queue = new RequestQueue(this, calls.maxConnections, (request, given) =>
        super.addRequest(request, given),
      );
      this.#idle = new IdleConnections(this, runtime, calls.keepAliveMs);
      this.on('free', () => this.queue.goOn());
    }

    override addRequest(request: ClientRequest, given: SocketOptions): void {
      const { host, port, tls } = this.#options.channel;
      // What the request says of its host is for the instance to read; the connection goes to its address.
      // Node.js made these options for this request, and copies them once more.
      this.queue.add(request, Object.assign(given, tls, { host, port, path: null }));
    }

    override createSocket(request: ClientRequest, given: SocketOptions, onSocket: OnSocket): void {
      this.#opening = request;
      super.createSocket(request, given, (error, socket) => {
        this.queue.connecting.delete(request);
        for (const end of ['close', 'agentRemove']) socket?.once(end, () => this.queue.goOn());
        if (socket !== undefined) this.#use(socket, request);
        const isElsewhere = error !== null && this.#options.fate.onNoConnection(request, error);
        if (!isElsewhere) onSocket(error, socket);
        if (error !== null) this.queue.goOn();
      });
      this.#opening = undefined;
    }

    /** Answers once the connection is made: until then the request has written nothing, and may go elsewhere. */
    override createConnection(given: SocketOptions, onSocket: OnSocket): undefined {
      const socket = super.createConnection(given, () => {}) as Socket;
      if (this.#opening !== undefined) this.queue.connecting.set(this.#opening, socket);
      whenConnected({ ...this.#options, socket, readyEvent, onSocket });
      return undefined;
    }

    override keepSocketAlive(socket: Socket): boolean {
      return !this.queue.isClosed && super.keepSocketAlive(socket) && this.#idle.add(socket);
    }

    override reuseSocket(socket: Socket, request: ClientRequest): void {
      // The time of an idle connection is none of the request's: it may have one of its own.
      if (request.timeout !== undefined) socket.setTimeout(0);
      super.reuseSocket(socket, request);
      this.#use(socket, request);
    }

    #use(socket: Duplex, request: ClientRequest): void {
      this.#idle.remove(socket, request);
      this.#options.fate.onConnection(request, socket);
    }

    close(): Promise<void> {
      for (const free of socketsOf(this.freeSockets)) free.destroy();
      return this.queue.close();
    }

    override destroy(): void {
      this.queue.destroy();
      super.destroy();
    }
  };
}

const PlainEndpointAgent = overAgent(PlainAgent, 'connect');
const SecureEndpointAgent = overAgent(SecureAgent, 'secureConnect');
