import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { certificateNames } from './certificate-names.ts';
import type { ReadText } from './file-contents.ts';
import { FileFault, type FilePlace } from './file-fault.ts';
import { type PemBlock, pemBlocks } from './pem.ts';

/** The files of a certificate, as the configuration names them. */
export interface CertificateFiles {
  /** The certificate, followed by those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  readonly passphraseFile?: string | undefined;
}

/** A certificate that was checked: it can be used as it is. */
export interface Certificate {
  readonly files: CertificateFiles;
  /** The DNS names that it is for, in lower case, some with `*.`. */
  readonly names: readonly string[];
  readonly leaf: X509Certificate;
  readonly expiresAtMs: number;
  /** With the certificates that follow it, in PEM. */
  readonly cert: string;
  /** Not encrypted, in PEM. */
  readonly key: string;
}

/**
 * Reads and checks a certificate and its key.
 * @param nowMs undefined: it may have expired.
 * @throws FileFault that names the file, and the line if there is one.
 */
export function readCertificate(
  files: CertificateFiles,
  nowMs: number | undefined,
  read: ReadText,
): Certificate {
  const place = { field: 'cert', file: files.cert };
  const cert = read(place);
  const chain = certificatesIn(cert, place);
  const [leaf] = chain;
  if (leaf === undefined) throw new FileFault(place, 'a certificate (PEM), found none');
  const { validFromDate, validToDate } = leaf.certificate;
  if (nowMs !== undefined && validToDate.getTime() <= nowMs) {
    throw new FileFault(
      place,
      `a certificate that has not expired, this one did on ${dayOf(validToDate)}`,
      leaf.line,
    );
  }
  if (nowMs !== undefined && validFromDate.getTime() > nowMs) {
    throw new FileFault(
      place,
      `a certificate that is valid now, this one begins on ${dayOf(validFromDate)}`,
      leaf.line,
    );
  }
  const key = readKey(files, read);
  if (!leaf.certificate.checkPrivateKey(key)) throw misfit(files, chain, key);
  const pem = String(key.export({ type: 'pkcs8', format: 'pem' }));
  assertUsable(place, { cert, key: pem });
  return Object.freeze({
    files,
    names: certificateNames(leaf.certificate),
    leaf: leaf.certificate,
    expiresAtMs: validToDate.getTime(),
    cert,
    key: pem,
  });
}

interface ChainLink {
  readonly certificate: X509Certificate;
  readonly line: number;
}

/** All certificates in a file. @throws FileFault for one that cannot be parsed. */
export function certificatesIn(text: string, place: FilePlace): ChainLink[] {
  const blocks = pemBlocks(text, place);
  return blocks
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => ({ certificate: parseCertificate(block, place), line: block.line }));
}

function parseCertificate({ text, line }: PemBlock, place: FilePlace): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new FileFault(place, `a certificate (${reasonOf(error)})`, line);
  }
}

function readKey({ key: file, passphraseFile }: CertificateFiles, read: ReadText): KeyObject {
  const place = { field: 'key', file };
  const text = read(place);
  const block = pemBlocks(text, place).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw new FileFault(place, 'a private key (PEM), found none');
  const isEncrypted = block.label.startsWith('ENCRYPTED') || block.text.includes('ENCRYPTED');
  if (isEncrypted && passphraseFile === undefined) {
    throw new FileFault(place, 'a key without a passphrase, or a passphraseFile', block.line);
  }
  const secret = passphraseFile === undefined ? undefined : passphraseIn(passphraseFile, read);
  try {
    return createPrivateKey({
      key: block.text,
      ...(secret === undefined ? {} : { passphrase: secret }),
    });
  } catch (error) {
    // A wrong passphrase shows as padding that does not fit.
    const what = isEncrypted ? 'a private key that the passphrase opens' : 'a private key';
    throw new FileFault(place, `${what} (${reasonOf(error)})`, block.line);
  }
}

function passphraseIn(file: string, read: ReadText): string {
  const place = { field: 'passphraseFile', file };
  const [line = ''] = read(place).split(/\r?\n/);
  if (line === '') throw new FileFault(place, 'a passphrase in its first line', 1);
  return line;
}

function misfit(
  { cert, key: file }: CertificateFiles,
  chain: readonly ChainLink[],
  key: KeyObject,
): FileFault {
  const fitting = chain.find(({ certificate }) => certificate.checkPrivateKey(key));
  if (fitting === undefined) {
    return new FileFault({ field: 'key', file }, `the private key of the certificate in ${cert}`);
  }
  const expected = 'the certificate of the key first, and then those that issued it';
  return new FileFault({ field: 'cert', file: cert }, expected, fitting.line);
}

/** OpenSSL may still refuse it, for example because the key is too short. */
function assertUsable(
  place: FilePlace,
  pair: { readonly cert: string; readonly key: string },
): void {
  try {
    createSecureContext({ ...pair, ca: [] });
  } catch (error) {
    throw new FileFault(place, `a certificate that OpenSSL takes (${reasonOf(error)})`);
  }
}

function reasonOf(error: unknown): string {
  const { reason, code, message } = error as Error & { reason?: string; code?: string };
  return reason ?? code ?? message;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
