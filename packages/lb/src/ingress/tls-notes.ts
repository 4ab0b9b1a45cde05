import { type IngressObject, labelOfIngress } from './ingress-object.ts';

/** A certificate of a listener. */
export interface ListenerCertificate {
  /** For people. */
  readonly label: string;
  /** The names that it is for, in lower case, some with `*.`. */
  readonly names: readonly string[];
}

/**
 * Which certificate serves the hosts in `spec.tls` of each Ingress, a sentence each: those that it names itself are not
 * used. `listeners`: the certificates of each listener that routes by Ingresses; undefined: it speaks no TLS.
 */
export function tlsNotes(
  ingresses: readonly IngressObject[],
  listeners: ReadonlyMap<string, readonly ListenerCertificate[] | undefined>,
): string[] {
  return ingresses.flatMap((ingress) => {
    const hosts = new Set(
      ingress.tls.flatMap((one) => one.hosts.map((host) => host.toLowerCase())),
    );
    const about = `Ingress ${labelOfIngress(ingress)}`;
    return [...hosts].flatMap((host) => {
      const secure = [...listeners].filter(([, own]) => own !== undefined);
      if (secure.length === 0)
        return [`${about}: no listener of Ingresses speaks TLS, for ${host}`];
      return secure.map(([name, own]) => `${about}: ${noteOf(host, name, own!)}`);
    });
  });
}

function noteOf(host: string, listener: string, own: readonly ListenerCertificate[]): string {
  const found = certificateFor(host, own);
  return found === undefined
    ? `no certificate of listener ${listener} is for ${host}`
    : `${host} is served with the certificate ${found.label} of listener ${listener}`;
}

/** As a listener chooses: the exact name before the one with `*.`; of several the first one. */
function certificateFor(
  host: string,
  own: readonly ListenerCertificate[],
): ListenerCertificate | undefined {
  const wildcard = host.replace(/^[^.]+/, '*');
  return (
    own.find(({ names }) => names.includes(host)) ??
    own.find(({ names }) => names.includes(wildcard))
  );
}
