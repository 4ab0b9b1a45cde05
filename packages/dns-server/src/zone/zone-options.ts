import type { ServiceSnapshot } from '@rollcall/client-sdk';

/** The form of names, and how long they may be cached. */
export interface ZoneOptions {
  /** E.g. `cluster.local`; lower-case, without a trailing dot. */
  readonly zone: string;
  /** TTL of records, in seconds. */
  readonly ttl: number;
  /** TTL of negative answers, in seconds. */
  readonly negativeTtl: number;
  /** Namespace of short names without a namespace. */
  readonly namespace: string;
  /** Whether `<svc>`, `<svc>.<ns>` and `<svc>.<ns>.svc` are also answered. */
  readonly hasShortNames: boolean;
  /** Whose addresses have names of pods: nobody's, those of instances in the namespace, or all. */
  readonly pods: 'disabled' | 'verified' | 'insecure';
  /**
   * No other server is asked about unknown names, so this server also answers for names
   * below a known service or namespace.
   */
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
