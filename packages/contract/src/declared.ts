import { z } from 'zod';
import { Protocol } from './port.ts';

/** One port of a declared service. */
export const DeclaredPort = z
  .object({
    /** Empty when the service has one port and gave it no name. */
    name: z.string(),
    protocol: Protocol,
    /** What callers of the cluster IP use. */
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
 * What data planes need to know of a service that was declared by a manifest; travels with its endpoints, so that both
 * change at once. An implicit service has none.
 */
export const DeclaredService = z
  .object({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']),
    /** `clusterIP: None`: names lead to the instances themselves. */
    isHeadless: z.boolean(),
    /** False: its endpoints are written by hand. */
    hasSelector: z.boolean(),
    /** Empty when headless or an ExternalName. */
    clusterIPs: z.array(z.string()),
    /** Empty unless an ExternalName. */
    externalName: z.string(),
    ports: z.array(DeclaredPort),
    externalIPs: z.array(z.string()),
    /** The address that it asks its load balancer for; empty = any. */
    loadBalancerIP: z.string(),
    /** Addresses that its load balancers report. */
    loadBalancerIPs: z.array(z.string()),
    /** Empty = the default balancer's. */
    loadBalancerClass: z.string(),
    /** CIDRs that may come in through a load balancer; empty = all. */
    loadBalancerSourceRanges: z.array(z.string()),
    /** How long a client sticks to an endpoint after its last connection, in ms; 0 = it does not. */
    affinityMs: z.int(),
    publishNotReadyAddresses: z.boolean(),
    internalTrafficPolicy: z.enum(['Cluster', 'Local']),
    externalTrafficPolicy: z.enum(['Cluster', 'Local']),
    /** Empty = none. */
    trafficDistribution: z.string(),
    /** Name of an IPVS scheduler from the annotation {@link SCHEDULER_ANNOTATION}; empty = the proxy's own. */
    scheduler: z.string(),
    /**
     * A label keeps node proxies away: something else carries its traffic, or nothing does. Names and load balancers
     * are not concerned. Servers of before do not say.
     * @default false
     */
    isUnproxied: z.boolean().default(false),
  })
  .meta({ id: 'DeclaredService' });
export type DeclaredService = z.output<typeof DeclaredService>;

/** Annotation of a service that names the scheduler its proxies use: rr, wrr, lc, wlc, sh, dh, sed or nq. */
export const SCHEDULER_ANNOTATION = 'rollcall.dev/scheduler';

/**
 * The name under which one instance is found below its service's, as a DNS-1123 label: the id in lower case, what a
 * label may not have replaced by `-`. Two ids may give the same one.
 */
export function hostnameOf(instance: string): string {
  const label = instance
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 63);
  return label.replaceAll(/^-+|-+$/g, '');
}
