import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bitString,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  time,
  TRUE,
  utf8String,
} from './der.ts';

const DAY_MS = 86_400_000;

/** Object ids of the parts of a subject. */
const PARTS = { CN: '2.5.4.3', C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11' } as const;

export type Subject = Partial<Record<keyof typeof PARTS, string>>;

export interface CertificateWish {
  /** @default CN: the first name */
  readonly subject?: Subject;
  /** DNS names, with or without `*.`. */
  readonly names?: readonly string[];
  readonly uris?: readonly string[];
  /** IPv4 addresses. */
  readonly addresses?: readonly string[];
  /** From now, in days; may be negative. @default -1 */
  readonly fromDays?: number;
  /** @default 30 */
  readonly toDays?: number;
  /** Encrypts the private key. */
  readonly passphrase?: string;
}

/** A certificate and its private key, in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Issues certificates for tests, with keys on the curve P-256. Nothing is kept anywhere. */
export class TestAuthority {
  /** Its own certificate, in PEM. */
  readonly cert: string;
  readonly #name: Subject;
  readonly #key: KeyObject;
  #serial = 1;

  constructor(name = 'test authority') {
    const { privateKey } = keyPair();
    this.#name = { CN: name };
    this.#key = privateKey;
    const wish = { subject: this.#name };
    this.cert = this.#sign(wish, privateKey, [
      extension('2.5.29.19', sequence(TRUE), true),
      // keyCertSign
      extension('2.5.29.15', tagged(0x03, Buffer.from([2, 4])), true),
    ]);
  }

  issue(wish: CertificateWish): TestCertificate {
    const { privateKey } = keyPair();
    const { passphrase } = wish;
    const cert = this.#sign(wish, privateKey, alternativeNames(wish));
    const key = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
    });
    return { cert, key: String(key) };
  }

  #sign(wish: CertificateWish, key: KeyObject, extensions: readonly Buffer[]): string {
    const { fromDays = -1, toDays = 30, names: [first = 'nameless'] = [] } = wish;
    const day = (days: number) => time(new Date(new Date().getTime() + days * DAY_MS));
    const algorithm = sequence(objectId('1.2.840.10045.4.3.2'));
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const content = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.from([this.#serial++])),
      algorithm,
      nameOf(this.#name),
      sequence(day(fromDays), day(toDays)),
      nameOf(wish.subject ?? { CN: first }),
      publicKey,
      ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(...extensions))]),
    );
    const signature = bitString(sign('sha256', content, this.#key));
    return pemOf('CERTIFICATE', sequence(content, algorithm, signature));
  }
}

function keyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [TRUE] : []), octetString(value));
}

function alternativeNames({ names = [], uris = [], addresses = [] }: CertificateWish): Buffer[] {
  const all = [
    ...names.map((name) => tagged(0x82, Buffer.from(name))),
    ...uris.map((uri) => tagged(0x86, Buffer.from(uri))),
    ...addresses.filter(isIPv4).map((ip) => tagged(0x87, Buffer.from(ip.split('.').map(Number)))),
  ];
  return all.length === 0 ? [] : [extension('2.5.29.17', sequence(...all))];
}

function nameOf(subject: Subject): Buffer {
  const parts = Object.entries(subject).map(([part, text]) =>
    set(sequence(objectId(PARTS[part as keyof typeof PARTS]), utf8String(text))),
  );
  return sequence(...parts);
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
