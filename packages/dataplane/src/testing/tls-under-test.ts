import { Agent, type ClientRequest, request, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';
import { connect as connectPlain, createServer, type Server, type Socket } from 'node:net';
import { connect, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { type Clock, systemClock } from '@rollcall/runtime';
import { TestAuthority } from '@rollcall/testkit';
import { NetTransport } from '../io/net-transport.ts';
import { handleTlsIo } from '../io/tls/open-tls-io.ts';
import { createPublicly, type CreateSecured } from '../io/tls/secured-connection.ts';
import { TlsAcceptor, type TlsAcceptorOptions, type TlsContexts } from '../io/tls/tls-acceptor.ts';
import { TlsConnector } from '../io/tls/tls-connector.ts';
import type {
  Connection,
  ConnectionHandler,
  ConnectionListener,
  ListenAddress,
  ListenOptions,
  Transport,
} from '../io/transport.ts';

const NAME = 'under.test';

/** Made once for a test file, and only if it needs them. */
const authority = lazily(() => new TestAuthority());
const certificate = lazily(() => authority().issue({ names: [NAME] }));

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

export const TLS_OPTIONS: TlsAcceptorOptions = {
  protocols: ['http/1.1'],
  clientCertificates: 'none',
  handshakeMs: 10_000,
  handshakeLimit: 1_000,
};

/** One certificate for all names. */
function oneContext(): TlsContexts {
  return { fallback: certificate(), find: () => undefined };
}

/** Clients speak TLS with it; its connections to targets are plain, unless the target says otherwise. */
export class TlsTransport implements Transport {
  readonly name = 'tls';
  readonly #net = new NetTransport();
  readonly sendQueues = this.#net.sendQueues;
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  listen(
    address: ListenAddress,
    accept: (connection: Connection) => ConnectionHandler,
    options: ListenOptions = {},
  ): Promise<ConnectionListener> {
    const parts = { clock: this.#clock, create: createUnderTest() };
    const own = new TlsAcceptor(oneContext(), TLS_OPTIONS, parts);
    const { handshaker = own } = options;
    return this.#net.listen(address, accept, { ...options, handshaker });
  }

  connect(...given: Parameters<Transport['connect']>): ReturnType<Transport['connect']> {
    return this.#net.connect(...given);
  }
}

/** Whether this test run is over TLS: TEST_IO=tls, or TEST_IO=tls-handle for that below Node.js's streams. */
export function isOverTls(): boolean {
  return process.env['TEST_IO']?.startsWith('tls') === true;
}

export function createUnderTest(): CreateSecured {
  if (process.env['TEST_IO'] !== 'tls-handle') return createPublicly;
  const io = handleTlsIo();
  if (io === undefined) throw new Error('this Node.js has no bare handles');
  return io.create;
}

const connector = lazily(
  () =>
    new TlsConnector({
      context: createSecureContext({ ca: authority().cert }),
      names: [NAME],
      isVerified: true,
      protocols: ['http/1.1'],
      create: createUnderTest(),
    }),
);

/** How targets of a test are reached; undefined: as the transport does. */
export function connectorUnderTest(): TlsConnector | undefined {
  return isOverTls() ? connector() : undefined;
}

/** A client's socket, in the way of this test run. Its event `connect` comes before anything is encrypted. */
export function openClient(port: number): Socket {
  const raw = connectPlain({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  if (!isOverTls()) return raw;
  const socket = connect({ socket: raw, ca: authority().cert, servername: NAME });
  return Object.assign(socket, { resetAndDestroy: () => (raw.resetAndDestroy(), socket) });
}

/** An agent for `requestUnderTest`. */
export function agentUnderTest(options: { readonly keepAlive?: boolean } = {}): Agent {
  return isOverTls() ? new SecureAgent(options) : new Agent(options);
}

/** `request` of `node:http`, or of `node:https`. */
export function requestUnderTest(options: RequestOptions): ClientRequest {
  const all = { host: '127.0.0.1', ...options };
  if (!isOverTls()) return request(all);
  return requestSecurely({ ...all, ca: authority().cert, servername: NAME });
}

/** Emitted by a client's socket when bytes can be sent. */
export function readyEvent(): 'secureConnect' | 'connect' {
  return isOverTls() ? 'secureConnect' : 'connect';
}

/** A server for targets, in the way of this test run. */
export function createTargetServer(onSocket: (socket: Socket) => void): Server {
  if (!isOverTls()) return createServer({ allowHalfOpen: true }, onSocket);
  const byPort = new Map<number, Socket>();
  const secure = createTlsServer(certificate(), (socket) => {
    // Only the TCP socket beneath can be reset.
    const resetAndDestroy = () => (byPort.get(socket.remotePort ?? 0)?.resetAndDestroy(), socket);
    onSocket(Object.assign(socket, { resetAndDestroy }));
  });
  return createServer({ allowHalfOpen: true }, (raw) => {
    const port = raw.remotePort ?? 0;
    byPort.set(port, raw);
    raw.once('close', () => byPort.delete(port));
    secure.emit('connection', raw);
  });
}

/** Options of a `node:https` server with the certificate of this test run. */
export function targetCertificate() {
  return certificate();
}
