import type { X509Certificate } from 'node:crypto';

/** What a TLS handshake established. */
export interface TlsSession {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The protocol that both sides chose by ALPN; empty: the peer did not ask for one. */
  readonly alpn: string;
  /** The name that the client asked for (SNI); empty: none. */
  readonly serverName: string;
  /** The handshake was shortened, because the client had been here before. */
  readonly isResumed: boolean;
  /** The client's certificate, if it showed one and one of the expected authorities has issued it. */
  readonly clientCertificate: X509Certificate | undefined;
}
