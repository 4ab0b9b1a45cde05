import { ascii } from './bytes.ts';

const NOTHING = new Uint8Array(0);

/** The end of a connection on this machine. */
interface LocalEnd {
  readonly localAddress: string;
  readonly localPort: number;
}

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
  /** The lines for the host of an earlier request: mostly that of the next one too. */
  readonly usual: UsualLines = { isWorthIt: false, host: NOTHING, lines: NOTHING };
  readonly #local: LocalEnd;
  #localAuthority: Uint8Array | undefined;

  constructor(address: string, local: LocalEnd) {
    this.address = ascii(address);
    this.protoAndPort = linesFor(local.localPort);
    this.#local = local;
  }

  /** `Host` for HTTP/1.0 clients that sent none: the address that they connected to. */
  get localAuthority(): Uint8Array {
    return (this.#localAuthority ??= authorityOf(this.#local));
  }
}

function authorityOf({ localAddress: address, localPort: port }: LocalEnd): Uint8Array {
  return ascii(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
}

const lines = new Map<number, Uint8Array>();

/** All connections to a port share them. */
function linesFor(port: number): Uint8Array {
  const known = lines.get(port);
  if (known !== undefined) return known;
  const made = ascii(`X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\n`);
  lines.set(port, made);
  return made;
}
