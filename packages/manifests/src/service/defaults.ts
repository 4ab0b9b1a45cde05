import {
  DEFAULT_AFFINITY_SECONDS,
  isReachedFromOutside,
  type Service,
  type ServicePort,
  type ServiceSpec,
} from './service.ts';

const MAY_BE_BLANK = [
  'clusterIP',
  'externalName',
  'externalTrafficPolicy',
  'loadBalancerIP',
] as const;

/** The service with all defaults of the Kubernetes API server, except addresses, their families and node ports. */
export function defaultService(service: Service): Service {
  return { ...service, spec: defaultSpec(service.spec ?? {}) };
}

function defaultSpec(given: ServiceSpec): ServiceSpec {
  const type = given.type === undefined || given.type === '' ? 'ClusterIP' : given.type;
  const spec: ServiceSpec = {
    ...given,
    type,
    sessionAffinity: given.sessionAffinity || 'None',
  };
  if (hasEntries(given.ports)) spec.ports = given.ports?.map((port) => defaultPort(port, type));
  else delete spec.ports;
  if (spec.sessionAffinity === 'ClientIP') {
    const timeoutSeconds = given.sessionAffinityConfig?.clientIP?.timeoutSeconds;
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS },
    };
  } else if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  // Go clients send an empty text or zero for an absent value of these. For others they send nothing.
  for (const field of MAY_BE_BLANK) if (spec[field] === '') delete spec[field];
  if (spec.healthCheckNodePort === 0) delete spec.healthCheckNodePort;
  if (isReachedFromOutside(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (type !== 'ExternalName') {
    spec.internalTrafficPolicy ??= 'Cluster';
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
