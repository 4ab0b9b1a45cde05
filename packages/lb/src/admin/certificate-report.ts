import type { BalancerTls } from '../tls/balancer-tls.ts';
import { labelOf } from '../tls/certificate-label.ts';
import type { Certificate } from '../tls/files/certificate.ts';

const DAY_MS = 86_400_000;

/** `GET /certificates`: which certificates are in use now. */
export function reportCertificates({ listeners }: BalancerTls, nowMs: number) {
  return {
    certificates: [...listeners].flatMap(([listener, { certificates }]) =>
      certificates.certificates.map((certificate) => ({
        ...expiryOf(listener, certificate, nowMs),
        names: certificate.names,
        issuer: certificate.leaf.issuer.split('\n').join(', '),
        serialNumber: certificate.leaf.serialNumber,
        fingerprint256: certificate.leaf.fingerprint256,
        validFrom: certificate.leaf.validFromDate.toISOString(),
        file: certificate.files.cert,
      })),
    ),
  };
}

/** When each certificate ends, for `/readyz`. */
export function reportExpiry({ listeners }: BalancerTls, nowMs: number) {
  return [...listeners].flatMap(([listener, { certificates }]) =>
    certificates.certificates.map((certificate) => expiryOf(listener, certificate, nowMs)),
  );
}

/** The listeners that show clients an expired certificate. */
export function expiredIn({ listeners }: BalancerTls, nowMs: number): string[] {
  return [...listeners].flatMap(([listener, { certificates }]) =>
    certificates.certificates.some(({ expiresAtMs }) => expiresAtMs <= nowMs)
      ? [`a valid certificate of listener ${listener}`]
      : [],
  );
}

function expiryOf(listener: string, certificate: Certificate, nowMs: number) {
  const { expiresAtMs } = certificate;
  return {
    listener,
    name: labelOf(certificate),
    expiresAt: new Date(expiresAtMs).toISOString(),
    daysLeft: Math.floor((expiresAtMs - nowMs) / DAY_MS),
  };
}
