import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsSession } from '../tls-session.ts';
import type { Connection, ConnectionHandler } from '../transport.ts';
import { TlsConnection } from './tls-connection.ts';

/** A connection that reads only when it has a handler. */
export interface SecuredConnection extends Connection {
  attach(handler: ConnectionHandler): void;
}

/**
 * Makes a connection of a socket in the moment in which its handshake is complete. `raw` is the TCP socket beneath,
 * which alone can be reset.
 */
export type CreateSecured = (
  socket: TLSSocket,
  raw: Socket,
  session: TlsSession,
) => SecuredConnection;

/** Over the public API: works on every Node.js. */
export const createPublicly: CreateSecured = (socket, raw, session) =>
  new TlsConnection(socket, raw, session);
