import type { Connection } from '../io/transport.ts';
import { ascii } from './bytes.ts';
import { clientCertificateElement } from './client-certificate.ts';

const NOTHING = new Uint8Array(0);

type ClientEnd = Pick<Connection, 'localAddress' | 'localPort' | 'tls'>;

/** Host and X-Forwarded-* of requests that come from no other proxy. */
interface UsualLines {
  /** Many connections have one request: remembering would cost them more than it saves. */
  isWorthIt: boolean;
  host: Uint8Array;
  lines: Uint8Array;
}

/** What a client connection adds to each of its requests. */
export class ClientIdentity {
  /** For X-Forwarded-For. */
  readonly address: Uint8Array;
  /** Lines that say how the client reached this balancer. */
  readonly protoAndPort: Uint8Array;
  /** It came over TLS. */
  readonly isSecure: boolean;
  /** Who the client is by its certificate; empty: it showed none. */
  readonly certificate: Uint8Array;
  /** The lines for the host of an earlier request: mostly that of the next one too. */
  readonly usual: UsualLines = { isWorthIt: false, host: NOTHING, lines: NOTHING };
  readonly #local: ClientEnd;
  #localAuthority: Uint8Array | undefined;

  constructor(address: string, local: ClientEnd) {
    this.address = ascii(address);
    this.protoAndPort = linesFor(local.tls === undefined ? 'http' : 'https', local.localPort);
    this.isSecure = local.tls !== undefined;
    this.certificate = certificateLine(local);
    this.#local = local;
  }

  /** `Host` for HTTP/1.0 clients that sent none: the address that they connected to. */
  get localAuthority(): Uint8Array {
    return (this.#localAuthority ??= authorityOf(this.#local));
  }
}

function authorityOf({ localAddress: address, localPort: port }: ClientEnd): Uint8Array {
  return ascii(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
}

const lines = { http: new Map<number, Uint8Array>(), https: new Map<number, Uint8Array>() };

/** All connections to a port share them. */
function linesFor(proto: 'http' | 'https', port: number): Uint8Array {
  const known = lines[proto].get(port);
  if (known !== undefined) return known;
  const made = ascii(`X-Forwarded-Proto: ${proto}\r\nX-Forwarded-Port: ${port}\r\n`);
  lines[proto].set(port, made);
  return made;
}

function certificateLine({ tls }: ClientEnd): Uint8Array {
  const certificate = tls?.clientCertificate;
  if (certificate === undefined) return NOTHING;
  return ascii(`X-Forwarded-Client-Cert: ${clientCertificateElement(certificate)}\r\n`);
}
