import type { Socket } from 'node:net';
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from 'node:tls';
import type { Clock } from '@rollcall/runtime';
import type { Arrivals, Handshaker } from '../transport.ts';
import { type HandshakeFault, handshakeFaultOf } from './handshake-fault.ts';
import { type HandshakeBounds, Handshakes } from './handshakes.ts';
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

/** What is agreed on with a client, besides certificates. */
export interface TlsRules {
  /** Protocols that are served, for ALPN. */
  readonly protocols: readonly string[];
  /**
   * Whether clients are asked for a certificate, and must have one. One that none of the contexts' authorities has
   * issued is refused in any case.
   */
  readonly clientCertificates: 'none' | 'optional' | 'require';
}

export interface TlsAcceptorOptions extends TlsRules, HandshakeBounds {}

export interface TlsAcceptorParts {
  readonly clock: Clock;
  /** Makes the connections. @default over the public API */
  readonly create?: CreateSecured;
  /** Called for each handshake that failed. `detail` is for the log. */
  readonly onFault?: (fault: HandshakeFault, detail: string) => void;
}

/** Certificates and rules that are used together: a handshake never has those of one and the sessions of another. */
interface Serving {
  /** It does not listen. */
  readonly server: Server;
  readonly rules: TlsRules;
  contexts: TlsContexts;
}

/** Node.js has a timeout of its own, which cannot be switched off. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * Does TLS handshakes with clients, for any number of listeners. Each connection is passed on when its handshake is
 * complete. TCP connections are accepted elsewhere and passed to a TLS server that does not listen itself: so they can
 * be refused before they cost anything, and reset at any time.
 */
export class TlsAcceptor implements Handshaker {
  readonly counters: TlsCounters = createTlsCounters();
  readonly #onFault: NonNullable<TlsAcceptorParts['onFault']>;
  readonly #create: CreateSecured;
  readonly #handshakes: Handshakes;
  #serving: Serving;
  /** Connections that were given up here; the TLS server will report each as one that the client closed. */
  #givenUp = 0;

  constructor(contexts: TlsContexts, options: TlsAcceptorOptions, parts: TlsAcceptorParts) {
    this.#onFault = parts.onFault ?? (() => {});
    this.#create = parts.create ?? createPublicly;
    this.#handshakes = new Handshakes(options, parts.clock, (raw, fault) => {
      this.#givenUp++;
      this.#countFault(fault, raw.remoteAddress);
    });
    this.#serving = this.#createServing(contexts, options);
  }

  /** Number of handshakes that are neither complete nor failed. */
  get handshakesUnderWay(): number {
    return this.#handshakes.underWay;
  }

  /** New handshakes use these; existing connections keep what they have. */
  replace(contexts: TlsContexts): void {
    this.#serving.server.setSecureContext(contexts.fallback);
    this.#serving.contexts = contexts;
  }

  /**
   * Makes other certificates and rules ready. The returned function uses them for new handshakes; it cannot fail.
   * @throws an error of OpenSSL when they cannot be used.
   */
  prepare(contexts: TlsContexts, rules: TlsRules): () => void {
    const serving = this.#createServing(contexts, rules);
    return () => {
      this.#serving = serving;
    };
  }

  /** For handshakes that begin from now on. */
  configure(bounds: HandshakeBounds): void {
    this.#handshakes.configure(bounds);
  }

  take(raw: Socket, arrivals: Arrivals): void {
    // Closed between accept and here: its addresses are no longer known.
    const isHere = raw.remoteAddress !== undefined;
    const { underWay } = this.#handshakes;
    if (isHere && arrivals.hasRoom(underWay) && this.#handshakes.begin(raw, arrivals)) {
      this.#serving.server.emit('connection', raw);
      return;
    }
    this.#countFault(isHere ? 'limit' : 'closed', raw.remoteAddress);
    raw.on('error', () => {});
    raw.resetAndDestroy();
  }

  underWayOf(arrivals: Arrivals): number {
    return this.#handshakes.underWayOf(arrivals);
  }

  settled(arrivals: Arrivals): Promise<void> {
    return this.#handshakes.settled(arrivals);
  }

  giveUp(arrivals: Arrivals): void {
    this.#handshakes.giveUp(arrivals);
  }

  #createServing(contexts: TlsContexts, rules: TlsRules): Serving {
    const { protocols, clientCertificates } = rules;
    // TLS takes 6 MB, so it is loaded only where it is used.
    const server = process.getBuiltinModule('node:tls').createServer({
      ...contexts.fallback,
      ALPNProtocols: [...protocols],
      SNICallback: (name, done) => done(null, serving.contexts.find(name)),
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'require',
      handshakeTimeout: NEVER_MS,
    });
    const serving: Serving = { server, rules, contexts };
    server.on('secureConnection', (socket) => this.#onSecure(socket, rules));
    server.on('tlsClientError', (error, socket) => this.#onClientError(error, socket, serving));
    return serving;
  }

  #onSecure(socket: TLSSocket, { clientCertificates }: TlsRules): void {
    socket.on('error', () => {});
    const handshake = this.#handshakes.end(socket);
    // Given up in the same moment.
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    const { raw, arrivals } = handshake;
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
    connection.attach(arrivals.accept(connection));
  }

  #onClientError(error: NodeJS.ErrnoException, socket: TLSSocket, serving: Serving): void {
    const { authorizationError } = socket;
    const fault = faultOf(error, socket, serving.contexts);
    if (fault === 'closed' && this.#givenUp > 0) {
      this.#givenUp--;
      return;
    }
    const detail = fault === 'bad_certificate' ? String(authorizationError) : error.message;
    this.#countFault(fault, socket.remoteAddress, detail);
  }

  #countFault(fault: HandshakeFault, address = '', detail = ''): void {
    this.counters.faults[fault]++;
    this.#onFault(fault, [address, detail].filter((part) => part !== '').join(': '));
  }
}

function faultOf(
  error: NodeJS.ErrnoException,
  socket: TLSSocket,
  contexts: TlsContexts,
): HandshakeFault {
  // Node.js reports a certificate that it refused only as a connection that was closed.
  if (socket.authorizationError) return 'bad_certificate';
  const fault = handshakeFaultOf(error);
  if (fault !== 'cipher') return fault;
  // What a server without a certificate answers.
  const isKnown = contexts.find(serverNameOf(socket)) !== undefined;
  return contexts.fallback.cert === undefined && !isKnown ? 'unknown_name' : fault;
}
