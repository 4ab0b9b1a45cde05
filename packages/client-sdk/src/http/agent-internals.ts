import {
  type AgentOptions,
  type ClientRequest as HttpClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SocketTable } from './socket-table.ts';

/*
 * Methods by which agents and requests of Node.js call each other, and which its documentation does not name. Agents of
 * other packages (agent-base, and with it every proxy agent) use the same ones.
 */

export interface ClientRequest extends HttpClientRequest {
  /** Gives it a connection, or the reason why there is none: only then it emits that error, or ends if it was destroyed. */
  onSocket(socket: Duplex | null, error?: Error): void;
  /** The answer, also that of an upgrade or a CONNECT. */
  readonly res?: IncomingMessage | null;
  /** As the options say, in ms. */
  readonly timeout?: number;
}

/** The options of a request as an agent gets them. */
export interface SocketOptions {
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly servername?: string | undefined;
  readonly [name: string]: unknown;
}

export type OnSocket = (error: Error | null, socket?: Duplex) => void;

export interface AgentInternals {
  /** Gives the request a connection: a free one, or a new one. */
  addRequest(request: ClientRequest, options: SocketOptions): void;
  /** Makes a new connection for the request. */
  createSocket(request: ClientRequest, options: SocketOptions, onSocket: OnSocket): void;
  createConnection(options: SocketOptions, onSocket: OnSocket): Duplex | undefined | null;
  /** Free connections, by host and port. */
  readonly freeSockets: SocketTable;
  /** Connections in use, by host and port. */
  readonly sockets: SocketTable;
  keepSocketAlive(socket: Duplex): boolean;
  reuseSocket(socket: Duplex, request: ClientRequest): void;
  on(event: 'free', listener: () => void): unknown;
  destroy(): void;
}

type AgentClass = new (options?: AgentOptions) => AgentInternals;

export const PlainAgent = HttpAgent as unknown as AgentClass;
export const SecureAgent = HttpsAgent as unknown as AgentClass;
