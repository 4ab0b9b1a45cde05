import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** What is wrong with a certificate or its key; the texts themselves are never repeated. */
export interface PairFault {
  /** Whether it is the key. */
  readonly isKey: boolean;
  readonly detail: string;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Whether a certificate and a private key, both PEM, can be used together. */
export function pairFaults({
  cert,
  key,
}: {
  readonly cert: string;
  readonly key: string;
}): PairFault[] {
  const chain = cert.match(CERTIFICATES) ?? [];
  const certificates = chain.map(certificateOf);
  const spoilt = certificates.indexOf(undefined);
  const [leaf] = certificates;
  const faults: PairFault[] = [];
  if (chain.length === 0) faults.push({ isKey: false, detail: 'expected a certificate (PEM)' });
  else if (spoilt !== -1) {
    const detail = `expected certificates (PEM), number ${spoilt + 1} cannot be read`;
    faults.push({ isKey: false, detail });
  }
  const privateKey = keyOf(key);
  if (privateKey === undefined) {
    const detail = 'expected a private key (PEM) without a passphrase';
    faults.push({ isKey: true, detail });
  }
  if (leaf === undefined || privateKey === undefined || leaf.checkPrivateKey(privateKey))
    return faults;
  const isElsewhere = certificates.some((one) => one?.checkPrivateKey(privateKey));
  return isElsewhere
    ? [{ isKey: false, detail: 'expected the certificate of the key first' }]
    : [{ isKey: true, detail: 'expected the private key of the certificate' }];
}

function certificateOf(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

function keyOf(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
