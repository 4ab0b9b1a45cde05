import { usualFamilyPolicy } from './families.ts';
import {
  DEFAULT_AFFINITY_SECONDS,
  type Service,
  type ServicePort,
  type ServiceSpec,
} from './service.ts';

/** The service with all defaults of the Kubernetes API server, except addresses and node ports. */
export function defaultService(service: Service): Service {
  return { ...service, spec: defaultSpec(service.spec ?? {}) };
}

function defaultSpec(given: ServiceSpec): ServiceSpec {
  const type = given.type === undefined || given.type === '' ? 'ClusterIP' : given.type;
  const spec: ServiceSpec = {
    ...given,
    type,
    sessionAffinity: given.sessionAffinity || 'None',
    ports: (given.ports ?? []).map((port) => defaultPort(port, type)),
  };
  if (spec.sessionAffinity === 'ClientIP') {
    const timeoutSeconds = given.sessionAffinityConfig?.clientIP?.timeoutSeconds;
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS },
    };
  } else if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  // Go clients send an empty text for an absent value.
  if (spec.clusterIP === '') delete spec.clusterIP;
  const isExternal = type === 'NodePort' || type === 'LoadBalancer';
  if ((isExternal || hasEntries(given.externalIPs)) && type !== 'ExternalName') {
    spec.externalTrafficPolicy ||= 'Cluster';
  }
  if (type !== 'ExternalName') {
    spec.internalTrafficPolicy ||= 'Cluster';
    spec.ipFamilyPolicy ||= usualFamilyPolicy(spec);
    // An old client names only the first address.
    if (spec.clusterIP !== undefined && !hasEntries(given.clusterIPs))
      spec.clusterIPs = [spec.clusterIP];
  }
  if (type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  return spec;
}

const hasEntries = (list: readonly unknown[] | undefined) => (list?.length ?? 0) > 0;

function defaultPort(port: ServicePort, type: string): ServicePort {
  const { nodePort, targetPort, ...rest } = port;
  const isTargetAbsent = targetPort === undefined || targetPort === 0 || targetPort === '';
  // Go clients send zero for an absent value.
  const keepsNodePort = nodePort !== undefined && nodePort !== 0;
  const number = port.port;
  return {
    ...rest,
    protocol: port.protocol || 'TCP',
    ...(type === 'ExternalName' && isTargetAbsent && number === undefined
      ? {}
      : { targetPort: isTargetAbsent ? number : targetPort }),
    ...(keepsNodePort ? { nodePort } : {}),
  };
}
