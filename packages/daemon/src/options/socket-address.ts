import { isIP } from 'node:net';

/** An address and a port. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `IP`, `IP:port`, `[IPv6]:port`; undefined when it is none of these. */
export function parseSocketAddress(text: string, defaultPort: number): SocketAddress | undefined {
  if (isIP(text) !== 0) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? defaultPort);
  const isBracketed = match?.[1] !== undefined;
  if (isIP(host) !== (isBracketed ? 6 : 4) || port > 65_535) return undefined;
  return { host, port };
}
