import { type DeclaredService, Protocol, SCHEDULER_ANNOTATION } from '@rollcall/contract';
import type { ServiceReport } from '@rollcall/contract';
import { DEFAULT_AFFINITY_SECONDS, type Service } from '@rollcall/manifests';
import { isHeadless } from './claim-slots.ts';

/** Whether a service has a selector; an empty one does not count. */
export function hasSelector({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0;
}

/** Kubernetes labels that make its proxies ignore a service, whatever their values. */
const UNPROXIED = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];

const policyOf = (text: string | undefined) => (text === 'Local' ? 'Local' : 'Cluster');

/** Addresses of load balancers with the mode `VIP`: clients write them, or balancers report them. */
function virtualIps(
  { status }: Service,
  reports: Iterable<Pick<ServiceReport, 'loadBalancer'>>,
): string[] {
  const reported = [...reports].flatMap(({ loadBalancer }) => loadBalancer);
  const addresses = [...(status?.loadBalancer?.ingress ?? []), ...reported];
  const ips = addresses.flatMap(({ ip, ipMode }) =>
    ip === undefined || ipMode === 'Proxy' ? [] : [ip],
  );
  return [...new Set(ips)].toSorted();
}

/** What data planes need to know about a service, from its manifest (with given numbers) and its reports. */
export function profileOf(
  service: Service,
  reports: Iterable<Pick<ServiceReport, 'loadBalancer'>>,
): DeclaredService {
  const { spec = {}, metadata } = service;
  const headless = isHeadless(service);
  const type = (spec.type ?? 'ClusterIP') as DeclaredService['type'];
  const hasAddress = type !== 'ExternalName' && !headless;
  const isSticky = spec.sessionAffinity === 'ClientIP';
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  return {
    type,
    isHeadless: headless,
    hasSelector: hasSelector(service),
    clusterIPs: hasAddress ? [...(spec.clusterIPs ?? [])] : [],
    externalName: type === 'ExternalName' ? (spec.externalName ?? '') : '',
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: Protocol.catch('TCP').parse(port.protocol),
      port: port.port ?? 0,
      targetPort: port.targetPort ?? port.port ?? 0,
      nodePort: port.nodePort ?? 0,
      appProtocol: port.appProtocol ?? '',
    })),
    externalIPs: [...(spec.externalIPs ?? [])],
    loadBalancerIP: spec.loadBalancerIP ?? '',
    loadBalancerIPs: type === 'LoadBalancer' ? virtualIps(service, reports) : [],
    loadBalancerClass: spec.loadBalancerClass ?? '',
    loadBalancerSourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()),
    affinityMs: isSticky ? seconds * 1_000 : 0,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    internalTrafficPolicy: policyOf(spec.internalTrafficPolicy),
    externalTrafficPolicy: policyOf(spec.externalTrafficPolicy),
    trafficDistribution: spec.trafficDistribution ?? '',
    scheduler: metadata.annotations?.[SCHEDULER_ANNOTATION] ?? '',
    isUnproxied: UNPROXIED.some((label) => Object.hasOwn(metadata.labels ?? {}, label)),
  };
}
