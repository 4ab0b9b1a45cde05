import { isDeepStrictEqual } from 'node:util';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import {
  type Address,
  type ConnectHandler,
  type Connection,
  type Connector,
  TlsConnector,
  type TlsIo,
} from '@rollcall/dataplane';
import { Agent, type Dispatcher } from 'undici';
import type { TargetGroupConfig } from '../../config/schema.ts';
import type { ProbeWay } from '../../health/http-probe.ts';
import { readAuthorities } from '../files/authorities.ts';
import { readCertificate } from '../files/certificate.ts';
import { readAll, readNow, type ReadText } from '../files/file-contents.ts';
import { WatchedFiles } from '../files/watched-files.ts';
import { targetNames } from './target-names.ts';

type Names = readonly [string, ...string[]];
type TargetTlsConfig = TargetGroupConfig['tls'];

/** What the files of a target group hold: the authorities to trust, and a certificate to show. */
interface Material {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface TargetTlsParts {
  /** Unix time in ms. */
  readonly wallMs: () => number;
  readonly io: TlsIo;
}

/** TLS from this balancer to the targets of one group. Its files are read and checked, and replaced, as a whole. */
export class TargetTls implements Connector, ProbeWay {
  readonly scheme = 'https';
  readonly #config: TargetTlsConfig;
  readonly #names: Names;
  readonly #parts: TargetTlsParts;
  readonly #watched: WatchedFiles;
  #connector: TlsConnector;
  #agent: Agent;

  /** @throws FileFault when a file cannot be used. */
  constructor(config: TargetGroupConfig, parts: TargetTlsParts) {
    this.#config = config.tls;
    this.#names = targetNames(config);
    this.#parts = parts;
    this.#watched = new WatchedFiles(filesOf(config.tls));
    const material = loadTargetFiles(config.tls, parts.wallMs(), readNow);
    this.#connector = this.#connectorWith(material);
    this.#agent = this.#agentWith(material);
  }

  /** Whether the settings of a group, as far as they matter here, are those of this one. */
  isFor(group: TargetGroupConfig): boolean {
    const hasSameNames = isDeepStrictEqual(this.#names, targetNames(group));
    return hasSameNames && isDeepStrictEqual(this.#config, group.tls);
  }

  /** For health checks, with the same certificates and names. */
  get dispatcher(): Dispatcher {
    return this.#agent;
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    return this.#connector.connect(address, handler);
  }

  /**
   * Looks at the files. True: they changed, and new connections use them.
   * @throws FileFault when the new files cannot be used; then those from before stay in use.
   */
  async look(): Promise<boolean> {
    if (!(await this.#watched.haveChanged())) return false;
    const read = await readAll(this.#watched.files);
    const material = loadTargetFiles(this.#config, this.#parts.wallMs(), read);
    this.#connector = this.#connectorWith(material);
    this.#agent = this.#agentWith(material);
    return true;
  }

  #connectorWith(material: Material): TlsConnector {
    return new TlsConnector({
      context: createSecureContext({ ...material, minVersion: 'TLSv1.2' }),
      names: this.#names,
      isVerified: !this.#config.insecureSkipVerify,
      protocols: ['http/1.1'],
      create: this.#parts.io.create,
    });
  }

  /** As of the health checks: a new connection for each, and none waits for another. */
  #agentWith(material: Material): Agent {
    const names = this.#names;
    return new Agent({
      pipelining: 0,
      connections: null,
      connect: {
        ...material,
        servername: names[0],
        rejectUnauthorized: !this.#config.insecureSkipVerify,
        checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
          const faults = names.map((name) => checkServerIdentity(name, certificate));
          return faults.includes(undefined) ? undefined : faults[0];
        },
      },
    });
  }
}

/** All files of a target group, read and checked. @throws FileFault for the first one that cannot be used. */
function loadTargetFiles(
  { ca, cert, key, passphraseFile }: TargetTlsConfig,
  nowMs: number,
  read: ReadText,
): Material {
  const authorities =
    ca === undefined ? {} : { ca: readAuthorities({ field: 'ca', file: ca }, read) };
  if (cert === undefined || key === undefined) return authorities;
  const own = readCertificate({ cert, key, passphraseFile }, nowMs, read);
  return { ...authorities, cert: own.cert, key: own.key };
}

function filesOf({ ca, cert, key, passphraseFile }: TargetTlsConfig): string[] {
  return [ca, cert, key, passphraseFile].filter((file) => file !== undefined);
}
