import type { X509Certificate } from 'node:crypto';

/**
 * A verified certificate as one element of X-Forwarded-Client-Cert, in the format that Envoy defined: the SHA-256 hash
 * of the certificate, its subject, and each of its names of kind URI and DNS.
 */
export function clientCertificateElement(certificate: X509Certificate): string {
  const hash = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const names = alternativeNames(certificate.subjectAltName ?? '');
  const parts = [`Hash=${hash}`, `Subject="${visible(subjectOf(certificate))}"`];
  for (const wanted of ['URI', 'DNS']) {
    for (const { kind, value } of names) {
      if (kind === wanted) parts.push(`${kind}=${value === '' ? '""' : valueOf(value)}`);
    }
  }
  return parts.join(';');
}

interface AlternativeName {
  /** `DNS`, `URI`, `IP Address`, `email`, ... */
  readonly kind: string;
  readonly value: string;
}

/** `DNS:a.test, URI:spiffe://a/b`; Node.js writes a value that could be misread as a JSON string. */
const ALTERNATIVE_NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

/** The names of a certificate, from the text that Node.js makes of them. */
export function alternativeNames(text: string): AlternativeName[] {
  return [...text.matchAll(ALTERNATIVE_NAME)].map(([, kind = '', value = '']) => ({
    kind,
    value: value.startsWith('"') ? (JSON.parse(value) as string) : value,
  }));
}

/**
 * The subject as RFC 2253 writes it: the most specific part first. Node.js has one part a line, in the other order, and
 * has put a `\` before quotes, commas and other `\`.
 */
function subjectOf({ subject }: X509Certificate): string {
  return (subject ?? '').split('\n').toReversed().join(',');
}

/** Only a value that contains a separator is quoted. */
function valueOf(value: string): string {
  return /[",;=]/.test(value) ? quoted(value) : visible(value);
}

function quoted(value: string): string {
  return `"${visible(value).replaceAll(/["\\]/g, '\\$&')}"`;
}

/** A field value is visible ASCII: other bytes are written as RFC 2253 does, `\C3\A9`. */
function visible(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) =>
    byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
