import type { DeclaredPort, DeclaredService } from '@rollcall/client-sdk';
import { isIP } from 'node:net';

export type AddressKind = 'ClusterIP' | 'NodePort' | 'ExternalIP' | 'LoadBalancerIP';

/** An address and port at which to serve a service on this machine. */
export interface ServiceAddress {
  readonly kind: AddressKind;
  readonly protocol: 'TCP' | 'UDP';
  readonly host: string;
  readonly port: number;
  /** The port of the service behind it. */
  readonly servicePort: DeclaredPort;
}

export interface AddressRules {
  readonly nodePortAddresses: readonly string[];
  readonly loadBalancerIps: boolean;
}

/** Whether a proxy serves it. Headless and ExternalName services need no proxy, and some services opt out. */
export function isProxied({ type, isHeadless, isUnproxied }: DeclaredService): boolean {
  return !isHeadless && !isUnproxied && type !== 'ExternalName';
}

/** All addresses of a service, for the supported protocols. */
export function addressesOf(declared: DeclaredService, rules: AddressRules): ServiceAddress[] {
  if (!isProxied(declared)) return [];
  return declared.ports.flatMap((servicePort) => {
    const { port, nodePort, protocol } = servicePort;
    if (protocol === 'SCTP') return [];
    const on = (kind: AddressKind, hosts: readonly string[], at: number) =>
      hosts
        .filter((host) => isIP(host) !== 0)
        .map((host): ServiceAddress => ({ kind, protocol, host, port: at, servicePort }));
    return [
      ...on('ClusterIP', declared.clusterIPs, port),
      ...(nodePort === 0 ? [] : on('NodePort', rules.nodePortAddresses, nodePort)),
      ...on('ExternalIP', declared.externalIPs, port),
      ...(rules.loadBalancerIps ? on('LoadBalancerIP', declared.loadBalancerIPs, port) : []),
    ];
  });
}
