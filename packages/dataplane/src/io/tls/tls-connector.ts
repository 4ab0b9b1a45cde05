import { connect, type Socket } from 'node:net';
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import type { Address, ConnectHandler, Connection, Connector } from '../transport.ts';
import { PendingConnection } from '../pending-connection.ts';
import { createPublicly, type CreateSecured } from './secured-connection.ts';
import { sessionOf } from './session-of.ts';

export interface TlsConnectorOptions {
  /** Authorities, and the certificate of this side, if there is one. */
  readonly context: SecureContext;
  /** Names of the target: its certificate must be for one of them. The first one is sent to it (SNI). */
  readonly names: readonly [string, ...string[]];
  /** False: any certificate will do. */
  readonly isVerified: boolean;
  /** Protocols that are spoken, for ALPN. */
  readonly protocols: readonly string[];
  /** Makes the connections. @default over the public API */
  readonly create?: CreateSecured;
}

/** Makes connections over TLS to targets that have the same names. Resumes sessions. */
export class TlsConnector implements Connector {
  readonly #options: TlsConnectorOptions;
  /** The last session with each target. */
  readonly #sessions = new WeakMap<Address, Buffer>();

  constructor(options: TlsConnectorOptions) {
    this.#options = options;
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    const { host, port } = address;
    const raw = connect({ host, port, noDelay: true });
    let failure: NodeJS.ErrnoException | undefined;
    const onError = (error: NodeJS.ErrnoException): void => {
      failure ??= error;
    };
    const pending = new PendingConnection(() => raw.destroy());
    const onUnopened = (): void => handler.onClose(pending.isOver ? undefined : failure);
    raw.on('error', onError);
    raw.once('close', onUnopened);
    raw.once('connect', () => {
      const socket = this.#secure(raw, address);
      socket.on('error', onError);
      // It reports errors that the TCP socket does not, and closes after it.
      raw.off('close', onUnopened);
      socket.once('close', onUnopened);
      socket.once('secureConnect', () => {
        socket.off('close', onUnopened);
        const { create = createPublicly } = this.#options;
        const connection = create(socket, raw, sessionOf(socket, undefined));
        pending.opened(connection);
        connection.attach(handler);
        handler.onConnect();
      });
    });
    return pending;
  }

  #secure(raw: Socket, address: Address): TLSSocket {
    const { context, names, isVerified, protocols } = this.#options;
    const session = this.#sessions.get(address);
    const socket = process.getBuiltinModule('node:tls').connect({
      socket: raw,
      secureContext: context,
      servername: names[0],
      rejectUnauthorized: isVerified,
      checkServerIdentity: (_host, certificate) => identityFault(names, certificate),
      ALPNProtocols: [...protocols],
      ...(session === undefined ? {} : { session }),
    });
    // A resumed session is not verified again, so one is kept only after its certificate was verified.
    let offered: Buffer | undefined;
    let isVerifiedNow = false;
    const keep = (): void => {
      if (isVerifiedNow && offered !== undefined) this.#sessions.set(address, offered);
    };
    socket.on('session', (latest) => {
      offered = latest;
      keep();
    });
    socket.once('secureConnect', () => {
      isVerifiedNow = true;
      keep();
    });
    return socket;
  }
}

/** Undefined: the certificate is for one of the names. */
function identityFault(
  names: TlsConnectorOptions['names'],
  certificate: PeerCertificate,
): Error | undefined {
  const { checkServerIdentity } = process.getBuiltinModule('node:tls');
  const faults = names.map((name) => checkServerIdentity(name, certificate));
  return faults.includes(undefined) ? undefined : faults[0];
}
