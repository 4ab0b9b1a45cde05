import type { ManifestObject } from '@rollcall/client-sdk';
import type { ServiceSpec } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { joined, NONE, pairsText, partOf } from './resource.ts';

interface ServiceStatus {
  readonly loadBalancer?: {
    readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
  };
}

export function specOf(object: ManifestObject): ServiceSpec {
  return (partOf(object, 'spec') as ServiceSpec | undefined) ?? {};
}

/** The addresses that its load balancers report. */
export function ingressOf(object: ManifestObject): string[] {
  const { loadBalancer } = (partOf(object, 'status') as ServiceStatus | undefined) ?? {};
  return (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}

function externalIpText(object: ManifestObject): string {
  const { type, externalName, externalIPs = [] } = specOf(object);
  if (type === 'ExternalName') return externalName ?? NONE;
  if (type !== 'LoadBalancer') return joined(externalIPs);
  const ingress = ingressOf(object);
  return ingress.length + externalIPs.length === 0
    ? '<pending>'
    : [...ingress, ...externalIPs].join(',');
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
    { title: 'CLUSTER-IP', cell: (object) => specOf(object).clusterIP ?? NONE },
    { title: 'EXTERNAL-IP', cell: externalIpText },
    { title: 'PORT(S)', cell: portsText },
    AGE,
    { title: 'SELECTOR', isWide: true, cell: (object) => pairsText(specOf(object).selector) },
  ],
});
