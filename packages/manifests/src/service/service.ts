import { z } from 'zod';
import { absent, ObjectMeta } from '../meta/object-meta.ts';
import { ServiceStatus } from '../status/service-status.ts';

const IntOrString = z.union([z.int(), z.string()]);

export const ServicePort = z.strictObject({
  name: absent(z.string()),
  protocol: absent(z.string()),
  appProtocol: absent(z.string()),
  port: absent(z.int()),
  targetPort: absent(IntOrString),
  nodePort: absent(z.int()),
});
export type ServicePort = z.output<typeof ServicePort>;

export const ServiceSpec = z.strictObject({
  type: absent(z.string()),
  selector: absent(z.record(z.string(), z.string())),
  ports: absent(z.array(ServicePort)),
  clusterIP: absent(z.string()),
  clusterIPs: absent(z.array(z.string())),
  externalIPs: absent(z.array(z.string())),
  externalName: absent(z.string()),
  externalTrafficPolicy: absent(z.string()),
  internalTrafficPolicy: absent(z.string()),
  trafficDistribution: absent(z.string()),
  healthCheckNodePort: absent(z.int()),
  ipFamilies: absent(z.array(z.string())),
  ipFamilyPolicy: absent(z.string()),
  loadBalancerIP: absent(z.string()),
  loadBalancerClass: absent(z.string()),
  loadBalancerSourceRanges: absent(z.array(z.string())),
  allocateLoadBalancerNodePorts: absent(z.boolean()),
  publishNotReadyAddresses: absent(z.boolean()),
  sessionAffinity: absent(z.string()),
  sessionAffinityConfig: absent(
    z.strictObject({
      clientIP: absent(z.strictObject({ timeoutSeconds: absent(z.int()) })),
    }),
  ),
});
export type ServiceSpec = z.output<typeof ServiceSpec>;

/** `apiVersion: v1, kind: Service`, as written. */
export const Service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: ObjectMeta,
  spec: absent(ServiceSpec),
  status: absent(ServiceStatus),
});
export type Service = z.output<typeof Service>;

/** How long a client stays with an endpoint when `sessionAffinity: ClientIP` names no time, in seconds. */
export const DEFAULT_AFFINITY_SECONDS = 10_800;

export const NODE_PORTS = Object.freeze({ first: 30_000, last: 32_767 });

/** Says how endpoints are chosen by zone; the second one is its former name. */
export const TOPOLOGY_MODE_ANNOTATION = 'service.kubernetes.io/topology-mode';
export const TOPOLOGY_HINTS_ANNOTATION = 'service.kubernetes.io/topology-aware-hints';

/** Whether callers reach a service at other addresses than its cluster IP. */
export function isReachedFromOutside({ type, externalIPs = [] }: ServiceSpec): boolean {
  const hasExternalIps = type === 'ClusterIP' && externalIPs.length > 0;
  return type === 'NodePort' || type === 'LoadBalancer' || hasExternalIps;
}

/** Whether a service has node ports. */
export function takesNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return (
    type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
  );
}

/** Whether a service has a node port at which balancers ask for its health. */
export function takesHealthCheckPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

/** Whether the type has a virtual IP. A headless service has the type, but `None` as its IP. */
export function takesClusterIp({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}
