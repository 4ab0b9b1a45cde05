import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsContexts } from '@rollcall/dataplane';
import type { ListenerTlsConfig } from '../../config/schema.ts';
import { readAuthorities } from '../files/authorities.ts';
import { type Certificate, readCertificate } from '../files/certificate.ts';
import { readAll, readNow, type ReadText } from '../files/file-contents.ts';
import { usableCertificates } from '../files/secret-certificate.ts';
import { WatchedFiles } from '../files/watched-files.ts';
import { CertificateTable } from './certificate-table.ts';
import { sharedOptions } from './context-options.ts';

/** Everything that a listener's files hold at one moment, checked. */
interface Loaded {
  readonly certificates: readonly Certificate[];
  readonly authorities: string | undefined;
}

export interface ListenerCertificatesParts {
  /** Unix time in ms. */
  readonly wallMs: () => number;
  readonly ticketKey: () => Buffer;
}

/** The certificates of one listener: read and checked as a whole, and replaced as a whole. */
export class ListenerCertificates {
  readonly listener: string;
  readonly #config: ListenerTlsConfig;
  readonly #parts: ListenerCertificatesParts;
  readonly #watched: WatchedFiles;
  #loaded: Loaded;
  /** The one that the table was built with. */
  #key: Buffer = Buffer.alloc(0);
  #table: CertificateTable;
  #onReplaced: ((table: TlsContexts) => void) | undefined;

  /** @throws FileFault when a file cannot be used. */
  constructor(listener: string, config: ListenerTlsConfig, parts: ListenerCertificatesParts) {
    this.listener = listener;
    this.#config = config;
    this.#parts = parts;
    this.#watched = new WatchedFiles(filesOf(config));
    this.#loaded = loadListenerFiles(config, parts.wallMs(), readNow);
    this.#table = this.#build(this.#loaded);
  }

  get certificates(): readonly Certificate[] {
    return this.#loaded.certificates;
  }

  get table(): TlsContexts {
    return this.#table;
  }

  /** The listener is called with each new table; undefined: none is any more. */
  onReplaced(listener: ((table: TlsContexts) => void) | undefined): void {
    this.#onReplaced = listener;
  }

  /**
   * Looks at the files. True: they changed, and what they hold now is used.
   * @throws FileFault when the new files cannot be used; then those from before stay in use.
   */
  async look(): Promise<boolean> {
    if (!(await this.#watched.haveChanged())) return false;
    const read = await readAll(this.#watched.files);
    const loaded = loadListenerFiles(this.#config, this.#parts.wallMs(), read);
    this.#use(loaded, this.#build(loaded));
    return true;
  }

  /** Uses the current ticket key from now on, if it is another one. */
  rebuild(): void {
    if (this.#parts.ticketKey().equals(this.#key)) return;
    this.#use(this.#loaded, this.#build(this.#loaded));
  }

  #use(loaded: Loaded, table: CertificateTable): void {
    this.#loaded = loaded;
    this.#table = table;
    this.#onReplaced?.(table);
  }

  #build({ certificates, authorities }: Loaded): CertificateTable {
    this.#key = Buffer.from(this.#parts.ticketKey());
    const shared = sharedOptions(this.#config, {
      listener: this.listener,
      authorities,
      ticketKey: this.#key,
    });
    const contextOf = ({ cert, key }: Certificate): SecureContext =>
      createSecureContext({ ...shared, cert, key });
    // One of a Secret is for its own hosts only.
    const first = this.#config.certificates.length === 0 ? undefined : certificates[0];
    const isRefusing = this.#config.unknownNames === 'refuse' || first === undefined;
    const fallback = isRefusing ? shared : { ...shared, cert: first.cert, key: first.key };
    return new CertificateTable(certificates, contextOf, fallback);
  }
}

/** All files of a listener, read and checked. @throws FileFault for the first one that cannot be used. */
function loadListenerFiles(
  { certificates, secrets = [], clientCa }: ListenerTlsConfig,
  nowMs: number,
  read: ReadText,
): Loaded {
  return Object.freeze({
    certificates: [
      ...certificates.map((files) => readCertificate(files, nowMs, read)),
      ...usableCertificates(secrets),
    ],
    authorities:
      clientCa === undefined
        ? undefined
        : readAuthorities({ field: 'clientCa', file: clientCa }, read),
  });
}

function filesOf({ certificates, clientCa }: ListenerTlsConfig): string[] {
  const files = certificates.flatMap(({ cert, key, passphraseFile }) => [
    cert,
    key,
    ...(passphraseFile === undefined ? [] : [passphraseFile]),
  ]);
  return clientCa === undefined ? files : [...files, clientCa];
}
