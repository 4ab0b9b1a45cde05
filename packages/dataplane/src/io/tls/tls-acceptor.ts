import { type AddressInfo, createServer } from 'node:net';
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from 'node:tls';
import type { Clock } from '@rollcall/runtime';
import { startListening } from '../start-listening.ts';
import type {
  Acceptor,
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
} from '../transport.ts';
import { type HandshakeFault, handshakeFaultOf } from './handshake-fault.ts';
import { Handshakes } from './handshakes.ts';
import { createPublicly, type CreateSecured } from './secured-connection.ts';
import { serverNameOf, sessionOf } from './session-of.ts';
import { createTlsCounters, type TlsCounters } from './tls-counters.ts';

/** The certificates of a listener. Never changed, only replaced as a whole. */
export interface TlsContexts {
  /**
   * For clients that ask for no name, or for one that `find` does not know. Without a certificate these are refused.
   */
  readonly fallback: SecureContextOptions;
  /** The certificate for a name, which is as the client sent it. */
  find(serverName: string): SecureContext | undefined;
}

export interface TlsAcceptorOptions {
  /** Protocols that are served, for ALPN. */
  readonly protocols: readonly string[];
  /**
   * Whether clients are asked for a certificate, and must have one. One that none of the contexts' authorities has
   * issued is refused in any case.
   */
  readonly clientCertificates: 'none' | 'optional' | 'require';
  /** From the accepted connection to the end of the handshake, in ms. */
  readonly handshakeMs: number;
  /** How many handshakes may be under way. */
  readonly handshakeLimit: number;
}

export interface TlsAcceptorParts {
  readonly clock: Clock;
  /** Makes the connections. @default over the public API */
  readonly create?: CreateSecured;
  /** Called for each handshake that failed. `detail` is for the log. */
  readonly onFault?: (fault: HandshakeFault, detail: string) => void;
}

/** Node.js has a timeout of its own, which cannot be switched off. */
const NEVER_MS = 2 ** 31 - 1;

type Accept = (connection: Connection) => ConnectionHandler;

/**
 * Takes connections from clients over TLS, at one address. Each is passed on when its handshake is complete. TCP
 * connections are accepted here and passed to a TLS server that does not listen itself: so they can be refused before
 * they cost anything, and reset at any time.
 */
export class TlsAcceptor implements Acceptor {
  readonly counters: TlsCounters = createTlsCounters();
  readonly #options: TlsAcceptorOptions;
  readonly #onFault: NonNullable<TlsAcceptorParts['onFault']>;
  readonly #create: CreateSecured;
  readonly #handshakes: Handshakes;
  readonly #server: Server;
  #contexts: TlsContexts;
  /** Connections that were given up here; the TLS server will report each as one that the client closed. */
  #givenUp = 0;

  constructor(contexts: TlsContexts, options: TlsAcceptorOptions, parts: TlsAcceptorParts) {
    const { handshakeMs, handshakeLimit: limit, clientCertificates } = options;
    this.#contexts = contexts;
    this.#options = options;
    this.#onFault = parts.onFault ?? (() => {});
    this.#create = parts.create ?? createPublicly;
    this.#handshakes = new Handshakes({ handshakeMs, limit }, parts.clock, (raw, fault) => {
      this.#givenUp++;
      this.#countFault(fault, raw.remoteAddress);
    });
    // TLS takes 6 MB, so it is loaded only where it is used.
    this.#server = process.getBuiltinModule('node:tls').createServer({
      ...contexts.fallback,
      ALPNProtocols: [...options.protocols],
      SNICallback: (name, done) => done(null, this.#contexts.find(name)),
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'require',
      handshakeTimeout: NEVER_MS,
    });
    this.#server.on('tlsClientError', (error, socket) => this.#onClientError(error, socket));
  }

  /** Number of handshakes that are neither complete nor failed. */
  get handshakesUnderWay(): number {
    return this.#handshakes.underWay;
  }

  /** New handshakes use these; existing connections keep what they have. */
  replace(contexts: TlsContexts): void {
    this.#server.setSecureContext(contexts.fallback);
    this.#contexts = contexts;
  }

  /** Must be called once only. */
  async listen(
    address: ListenAddress,
    accept: Accept,
    hasRoom: (handshakes: number) => boolean = () => true,
  ): Promise<Listener> {
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket, accept));
    const server = createServer({ noDelay: true }, (raw) => {
      // Closed between accept and here: its addresses are no longer known.
      const isHere = raw.remoteAddress !== undefined;
      const { underWay } = this.#handshakes;
      if (isHere && hasRoom(underWay) && this.#handshakes.begin(raw)) {
        this.#server.emit('connection', raw);
        return;
      }
      this.#countFault(isHere ? 'limit' : 'closed', raw.remoteAddress);
      raw.on('error', () => {});
      raw.resetAndDestroy();
    });
    await startListening(server, address);
    const bound = server.address() as AddressInfo;
    let closed: Promise<void> | undefined;
    return {
      address: { host: bound.address, port: bound.port },
      close: () => {
        server.close();
        return (closed ??= this.#handshakes.close());
      },
    };
  }

  #onSecure(socket: TLSSocket, accept: Accept): void {
    socket.on('error', () => {});
    const raw = this.#handshakes.end(socket);
    // Given up in the same moment.
    if (raw === undefined) {
      socket.destroy();
      return;
    }
    const { clientCertificates } = this.#options;
    const shown = clientCertificates === 'none' ? undefined : socket.getPeerX509Certificate();
    if (shown !== undefined && !socket.authorized) {
      this.#countFault('bad_certificate', raw.remoteAddress, String(socket.authorizationError));
      raw.resetAndDestroy();
      return;
    }
    const session = sessionOf(socket, shown);
    if (session.isResumed) this.counters.resumed++;
    else this.counters.full++;
    const connection = this.#create(socket, raw, session);
    connection.attach(accept(connection));
  }

  #onClientError(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { authorizationError } = socket;
    const fault = this.#faultOf(error, socket);
    if (fault === 'closed' && this.#givenUp > 0) {
      this.#givenUp--;
      return;
    }
    const detail = fault === 'bad_certificate' ? String(authorizationError) : error.message;
    this.#countFault(fault, socket.remoteAddress, detail);
  }

  #faultOf(error: NodeJS.ErrnoException, socket: TLSSocket): HandshakeFault {
    // Node.js reports a certificate that it refused only as a connection that was closed.
    if (socket.authorizationError) return 'bad_certificate';
    const fault = handshakeFaultOf(error);
    if (fault !== 'cipher') return fault;
    // What a server without a certificate answers.
    const isKnown = this.#contexts.find(serverNameOf(socket)) !== undefined;
    return this.#contexts.fallback.cert === undefined && !isKnown ? 'unknown_name' : fault;
  }

  #countFault(fault: HandshakeFault, address = '', detail = ''): void {
    this.counters.faults[fault]++;
    this.#onFault(fault, [address, detail].filter((part) => part !== '').join(': '));
  }
}
