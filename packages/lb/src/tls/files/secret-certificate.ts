import { type Certificate, readCertificate } from './certificate.ts';
import { FileFault } from './file-fault.ts';

/** The certificate of a Secret that an Ingress names. */
export interface SecretCertificate {
  /** `namespace/name` */
  readonly secret: string;
  /** The certificate and its key, in PEM. */
  readonly cert: string;
  readonly key: string;
  /** The only hosts that it is for; empty: all of its own names. */
  readonly hosts: readonly string[];
}

/**
 * The certificate of a Secret, for the hosts that its Ingress names. It may have expired: whoever renews it does that in
 * the registry, and until then clients see what is wrong.
 * @throws FileFault when it cannot be used.
 */
export function readSecretCertificate({
  secret,
  cert,
  key,
  hosts,
}: SecretCertificate): Certificate {
  const files = { cert: `tls.crt of Secret ${secret}`, key: `tls.key of Secret ${secret}` };
  const certificate = readCertificate(files, undefined, ({ field }) =>
    field === 'cert' ? cert : key,
  );
  if (hosts.length === 0) return certificate;
  const isFor = (host: string) =>
    certificate.names.includes(host) || certificate.names.includes(host.replace(/^[^.]+/, '*'));
  const names = new Set(hosts.map((host) => host.toLowerCase()).filter(isFor));
  return Object.freeze({ ...certificate, names: [...names] });
}

/** Those that are for a host and can be used. What is wrong with the others is in the log already. */
export function usableCertificates(secrets: readonly SecretCertificate[]): Certificate[] {
  return secrets.flatMap((secret) => {
    try {
      const certificate = readSecretCertificate(secret);
      return certificate.names.length === 0 ? [] : [certificate];
    } catch (error) {
      if (error instanceof FileFault) return [];
      throw error;
    }
  });
}
