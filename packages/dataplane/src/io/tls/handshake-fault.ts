/**
 * Why a handshake failed:
 * - `timeout`: it took too long
 * - `limit`: too many were under way, or too many connections open
 * - `closed`: the client went away
 * - `not_tls`: the client sent something else, such as plain HTTP
 * - `version`: the client's versions of TLS are too old
 * - `cipher`: no cipher suite or kind of signature in common
 * - `alpn`: the client speaks none of the protocols that are served
 * - `unknown_name`: no certificate is for the name that the client asked for
 * - `no_certificate`: the client showed no certificate
 * - `bad_certificate`: the client's certificate cannot be verified
 * - `alert`: the client refused, for example because it does not trust the certificate
 * - `other`: anything else
 */
export const HANDSHAKE_FAULTS = [
  'timeout',
  'limit',
  'closed',
  'not_tls',
  'version',
  'cipher',
  'alpn',
  'unknown_name',
  'no_certificate',
  'bad_certificate',
  'alert',
  'other',
] as const;

export type HandshakeFault = (typeof HANDSHAKE_FAULTS)[number];

/** By OpenSSL's reasons, which Node.js makes the codes of its errors. */
const BY_CODE: ReadonlyMap<string, HandshakeFault> = new Map([
  ['ECONNRESET', 'closed'],
  ['EPIPE', 'closed'],
  ['ERR_SSL_HTTP_REQUEST', 'not_tls'],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', 'not_tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'not_tls'],
  ['ERR_SSL_BAD_RECORD_TYPE', 'not_tls'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'version'],
  ['ERR_SSL_VERSION_TOO_LOW', 'version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'cipher'],
  ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', 'cipher'],
  ['ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS', 'cipher'],
  ['ERR_SSL_NO_SUITABLE_KEY_SHARE', 'cipher'],
  ['ERR_SSL_NO_APPLICATION_PROTOCOL', 'alpn'],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'no_certificate'],
]);

/** The reason in an error of Node.js. */
export function handshakeFaultOf({ code = '' }: NodeJS.ErrnoException): HandshakeFault {
  const known = BY_CODE.get(code);
  if (known !== undefined) return known;
  return /_ALERT_/.test(code) ? 'alert' : 'other';
}
