import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** The protocol used for the endpoints of a service. */
export interface Transport {
  readonly scheme: 'http' | 'https';
  readonly http2: boolean;
  /**
   * Names of the service: over https, a certificate must match one of them. The client sends the first one as the
   * server name.
   */
  readonly names: readonly [string, ...string[]];
}

/**
 * TLS options that verify that the other side belongs to the service: its address comes from the roll and proves
 * nothing.
 */
export function identityOf({ names }: Pick<Transport, 'names'>) {
  const [first] = names;
  return {
    servername: first,
    checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined => {
      // A request with its own host header asks for that host.
      if (host !== first) return checkServerIdentity(host, certificate);
      const faults = names.map((name) => checkServerIdentity(name, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}
