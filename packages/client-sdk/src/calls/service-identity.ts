import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** How the endpoints of a service are spoken with. */
export interface Transport {
  readonly scheme: 'http' | 'https';
  /** Names that stand for the service: a certificate over https is for one of them. The first is asked for. */
  readonly names: readonly [string, ...string[]];
}

/** What of TLS makes sure that the other side is of the service: its address, which the roll says, proves nothing. */
export function identityOf({ names }: Transport) {
  const [first] = names;
  return {
    servername: first,
    checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined => {
      // A request with a host of its own asks for that one.
      if (host !== first) return checkServerIdentity(host, certificate);
      const faults = names.map((name) => checkServerIdentity(name, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}
