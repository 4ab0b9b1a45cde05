import { z } from 'zod';
import { flag, ms, object, text } from './fields.ts';

const file = text('a file');

const CertificateFiles = object({
  /** A file with the certificate (PEM), and after it those between it and its authority. */
  cert: file,
  /** A file with its private key (PEM). */
  key: file,
  /** A file whose first line opens the key. */
  passphraseFile: file.optional(),
});

export const ListenerTls = object({
  /**
   * Which one a client gets depends on the name that it asks for: an exact name before one with `*.`, of several the
   * first. The names are those in the certificates (SAN). May be empty for a listener of Ingresses, whose Secrets have them.
   */
  certificates: z.array(CertificateFiles, { error: 'expected a list of certificates' }),
  /** Clients with older versions are refused. @default TLSv1.2 */
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'], { error: 'expected TLSv1.2 or TLSv1.3' })
    .default('TLSv1.2'),
  /**
   * For clients that ask for no name, or for one that no certificate is for: the `first` certificate, or `refuse`.
   * @default first
   */
  unknownNames: z.enum(['first', 'refuse'], { error: 'expected first or refuse' }).default('first'),
  /**
   * Whether clients are asked for a certificate, and whether they must have one. One that cannot be verified is refused
   * in any case. The target learns of it in X-Forwarded-Client-Cert. @default none
   */
  verifyClient: z
    .enum(['none', 'optional', 'require'], { error: 'expected none, optional or require' })
    .default('none'),
  /** A file with the certificates (PEM) of the authorities that issue those of clients. */
  clientCa: file.optional(),
  /**
   * How long a client may resume its session, which saves the exchange of certificates: so for this long its own
   * certificate is not looked at again. @default 3600000
   */
  sessionTimeoutMs: ms(1_000).default(3_600_000),
});

export const TargetTls = object({
  /** A file with CA certificates (PEM) that verify those of the targets. @default those of Node.js */
  ca: file.optional(),
  /**
   * The name that the targets' certificates must be for. In the namespace `default` one for SERVICE.rollcall will do too.
   * @default SERVICE.NAMESPACE.rollcall
   */
  servername: text('a host name')
    .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i, { error: 'expected a host name' })
    .optional(),
  /** A file with the certificate (PEM) for targets that ask for one. Needs `key`. */
  cert: file.optional(),
  /** A file with the private key (PEM) of `cert`. */
  key: file.optional(),
  /** A file whose first line opens the key. */
  passphraseFile: file.optional(),
  /** Takes any certificate: whoever is in between can read and change everything. For tests only. @default false */
  insecureSkipVerify: flag.default(false),
});
