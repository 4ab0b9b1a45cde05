import { createHash, constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { ListenerTlsConfig } from '../../config/schema.ts';

/** Everything that all certificates of a listener have in common. */
export type SharedOptions = SecureContextOptions;

/**
 * With TLS 1.2 only what still has no known weakness: keys that are made anew for each connection (ECDHE), and
 * encryption that authenticates (AEAD). TLS 1.3 has nothing else; its suites are OpenSSL's own.
 */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface SharedParts {
  readonly listener: string;
  /** Certificates of the authorities that issue those of clients; undefined: clients are not asked for any. */
  readonly authorities: string | undefined;
  readonly ticketKey: Buffer;
}

export function sharedOptions(
  { minVersion, sessionTimeoutMs, verifyClient }: ListenerTlsConfig,
  { listener, authorities, ticketKey }: SharedParts,
): SharedOptions {
  return {
    minVersion,
    ciphers: CIPHERS,
    // All of them are good: whichever the client is fastest with.
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    ticketKeys: ticketKey,
    sessionTimeout: Math.ceil(sessionTimeoutMs / 1_000),
    sessionIdContext: sessionScope([listener, verifyClient, authorities ?? '']),
    // Empty: the authorities that Node.js knows would only cost memory.
    ca: authorities ?? [],
  };
}

/**
 * A session is resumed without looking at a certificate again. So it is valid only where the same rules hold: another
 * listener, or another set of authorities, does not accept it, although it may have the same ticket key.
 */
function sessionScope(rules: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(rules)).digest('base64').slice(0, 32);
}
