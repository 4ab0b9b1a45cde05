import type { ManifestObject } from '@rollcall/client-sdk';
import type { ServiceSpec } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { joined, NONE, pairsText, partOf } from './resource.ts';

interface BalancerPlace {
  readonly ip?: string;
  readonly hostname?: string;
  /** How the balancer delivers what is sent to this address: VIP or Proxy. */
  readonly ipMode?: string;
}

interface ServiceStatus {
  readonly loadBalancer?: {
    readonly ingress?: readonly BalancerPlace[];
  };
}

export function specOf(object: ManifestObject): ServiceSpec {
  return (partOf(object, 'spec') as ServiceSpec | undefined) ?? {};
}

/** Longer lists of balancers' addresses are cut in a table, as in kubectl. */
const BALANCER_WIDTH = 16;

/** The addresses that its load balancers report. */
export function ingressOf(object: ManifestObject): readonly BalancerPlace[] {
  const { loadBalancer } = (partOf(object, 'status') as ServiceStatus | undefined) ?? {};
  return loadBalancer?.ingress ?? [];
}

/** The addresses of its load balancers, each once and sorted. Cut unless `isWhole`. */
export function balancersText(object: ManifestObject, isWhole: boolean): string {
  const places = ingressOf(object).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const text = [...new Set(places)].toSorted().join(',');
  if (isWhole || text.length <= BALANCER_WIDTH) return text;
  return `${text.slice(0, BALANCER_WIDTH - 3)}...`;
}

function externalIpText(object: ManifestObject, _nowMs: number, isWide = false): string {
  const { type, externalName, externalIPs = [] } = specOf(object);
  if (type === 'ExternalName') return externalName ?? NONE;
  if (type !== 'LoadBalancer') return joined(externalIPs);
  const balancers = balancersText(object, isWide);
  const all = [...(balancers === '' ? [] : [balancers]), ...externalIPs];
  return all.length === 0 ? '<pending>' : all.join(',');
}

function portsText(object: ManifestObject): string {
  const ports = (specOf(object).ports ?? []).map(({ port, nodePort = 0, protocol = 'TCP' }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return joined(ports);
}

export const services = manifestResource({
  kind: 'Service',
  apiVersion: 'v1',
  names: ['services', 'service', 'svc'],
  prefix: 'service',
  columns: [
    NAME,
    { title: 'TYPE', cell: (object) => specOf(object).type ?? 'ClusterIP' },
    { title: 'CLUSTER-IP', cell: (object) => specOf(object).clusterIP || NONE },
    { title: 'EXTERNAL-IP', cell: externalIpText },
    { title: 'PORT(S)', cell: portsText },
    AGE,
    { title: 'SELECTOR', isWide: true, cell: (object) => pairsText(specOf(object).selector) },
  ],
});
