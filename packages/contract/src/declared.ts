import { z } from 'zod';
import { Protocol } from './port.ts';

/** One port of a declared service. */
export const DeclaredPort = z
  .object({
    /** Empty when the service has only one port, without a name. */
    name: z.string(),
    protocol: Protocol,
    /** The port that callers of the cluster IP use. */
    port: z.int(),
    /** A number, or the name of a port of the instances. */
    targetPort: z.union([z.int(), z.string()]),
    /** 0 = none. */
    nodePort: z.int(),
    /** Empty when not given. */
    appProtocol: z.string(),
  })
  .meta({ id: 'DeclaredPort' });
export type DeclaredPort = z.output<typeof DeclaredPort>;

/**
 * What data planes need to know about a declared service. Sent together with its endpoints, so that both change at
 * once. An implicit service has none.
 */
export const DeclaredService = z
  .object({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']),
    /** `clusterIP: None`: its name resolves to the instances themselves. */
    isHeadless: z.boolean(),
    /** False = its endpoints are written by hand. */
    hasSelector: z.boolean(),
    /** Empty for a headless service or an ExternalName. */
    clusterIPs: z.array(z.string()),
    /** Empty unless it is an ExternalName. */
    externalName: z.string(),
    ports: z.array(DeclaredPort),
    externalIPs: z.array(z.string()),
    /** The address requested from its load balancer; empty = any. */
    loadBalancerIP: z.string(),
    /** Addresses that its load balancers report. */
    loadBalancerIPs: z.array(z.string()),
    /** Empty = the default load balancer. */
    loadBalancerClass: z.string(),
    /** CIDRs that are allowed through a load balancer; empty = all. */
    loadBalancerSourceRanges: z.array(z.string()),
    /** How long a client stays with an endpoint after its last connection, in ms; 0 = no affinity. */
    affinityMs: z.int(),
    publishNotReadyAddresses: z.boolean(),
    internalTrafficPolicy: z.enum(['Cluster', 'Local']),
    externalTrafficPolicy: z.enum(['Cluster', 'Local']),
    /** Empty = none. */
    trafficDistribution: z.string(),
    /** Name of an IPVS scheduler, from the annotation {@link SCHEDULER_ANNOTATION}; empty = the proxy's default. */
    scheduler: z.string(),
    /**
     * A label keeps node proxies away: something else carries its traffic, or nothing does. DNS names and load
     * balancers are not affected. Older servers do not send it.
     * @default false
     */
    isUnproxied: z.boolean().default(false),
  })
  .meta({ id: 'DeclaredService' });
export type DeclaredService = z.output<typeof DeclaredService>;

/** Annotation of a service with the scheduler of its proxies: rr, wrr, lc, wlc, sh, dh, sed or nq. */
export const SCHEDULER_ANNOTATION = 'rollcall.dev/scheduler';

/**
 * The name of one instance below its service's name, as a DNS-1123 label: the id in lower case, with `-` for characters
 * that a label cannot have. Two ids may give the same name.
 */
export function hostnameOf(instance: string): string {
  const label = instance
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 63);
  return label.replaceAll(/^-+|-+$/g, '');
}
