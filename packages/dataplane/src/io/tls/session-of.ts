import type { TLSSocket } from 'node:tls';
import type { TlsSession } from '../tls-session.ts';

/** Describes a connection whose handshake is complete. */
export function sessionOf(
  socket: TLSSocket,
  clientCertificate: TlsSession['clientCertificate'],
): TlsSession {
  return {
    version: socket.getProtocol() ?? '',
    alpn: socket.alpnProtocol || '',
    serverName: serverNameOf(socket),
    isResumed: socket.isSessionReused(),
    clientCertificate,
  };
}

/** The name that the client asked for; empty: none. Known once its first message was read. */
export function serverNameOf(socket: TLSSocket): string {
  // The types lack it.
  const { servername } = socket as TLSSocket & { readonly servername?: string | false | null };
  return servername || '';
}
