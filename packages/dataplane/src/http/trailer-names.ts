/** If trailers contain one of these fields, the end of the message cannot be trusted (RFC 9112 section 6.3). */
const FRAMING = new Set(['transfer-encoding', 'content-length', 'host', 'connection', 'upgrade']);

/**
 * Fields for routing, authorization or the meaning of the message must come before the body (RFC 9110 section 6.5.1).
 */
const NEVER = new Set([
  ...FRAMING,
  'age',
  'authorization',
  'cache-control',
  'cdn-loop',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'cookie2',
  'date',
  'expect',
  'expires',
  'forwarded',
  'front-end-https',
  'keep-alive',
  'location',
  'max-forwards',
  'origin',
  'pragma',
  'proxy',
  'range',
  'referer',
  'retry-after',
  'set-cookie',
  'set-cookie2',
  'te',
  'trailer',
  'true-client-ip',
  'vary',
  'via',
  'warning',
  'www-authenticate',
]);
const NEVER_BEGINNINGS = [
  'access-control-',
  'client-cert',
  'if-',
  'proxy-',
  'sec-',
  'ssl-client-',
  'x-amzn-mtls-',
  'x-arr-clientcert',
  'x-client-',
  'x-cluster-client-',
  'x-forwarded',
  'x-http-method',
  'x-method-override',
  'x-original-',
  'x-real-ip',
  'x-rewrite-',
  'x-scheme',
  'x-ssl-',
  'x-url-scheme',
];

/** `name` must be lower case. */
export function isFramingField(name: string): boolean {
  return FRAMING.has(name);
}

/** `name` must be lower case. A target may read a name with `_` as another name. */
export function mayBeTrailer(name: string): boolean {
  if (name.includes('_') || NEVER.has(name)) return false;
  return !NEVER_BEGINNINGS.some((beginning) => name.startsWith(beginning));
}
