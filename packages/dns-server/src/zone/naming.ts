import type { ServiceSnapshot } from '@rollcall/client-sdk';

/** What names look like and how long they may be remembered. */
export interface Naming {
  /** e.g. `cluster.local`; lower-case, without a dot at the end. */
  readonly zone: string;
  /** Of records, in seconds. */
  readonly ttl: number;
  /** Of what is not there, in seconds. */
  readonly negativeTtl: number;
  /** Namespace of short names that name none. */
  readonly namespace: string;
  /** Whether `<svc>`, `<svc>.<ns>` and `<svc>.<ns>.svc` are answered as well. */
  readonly hasShortNames: boolean;
  /** Nobody is asked about names that are not here, so names below a known service or namespace are ours as well. */
  readonly isAlone: boolean;
  /** Addresses of `ns.dns.<zone>`, this server itself. */
  readonly serverAddresses: readonly string[];
}

/** `<svc>.<ns>.svc.<zone>` */
export function serviceName(
  { namespace, service }: Pick<ServiceSnapshot, 'namespace' | 'service'>,
  zone: string,
): string {
  return `${service}.${namespace}.svc.${zone}`;
}
