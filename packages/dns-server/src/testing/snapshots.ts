import type {
  DeclaredPort,
  DeclaredService,
  Endpoint,
  ServiceSnapshot,
} from '@rollcall/client-sdk';

let revision = 0;

/** An endpoint that is up; only `instance` is required. */
export function endpoint(given: Partial<Endpoint> & { readonly instance: string }): Endpoint {
  const { instance, portName = 'http', port = 3_000 } = given;
  return {
    id: `${instance}/${portName}`,
    address: '127.0.0.1',
    port,
    portName,
    protocol: 'TCP',
    containerPort: port,
    zone: '',
    weight: 100,
    labels: {},
    state: 'up',
    reason: '',
    ready: true,
    serving: true,
    terminating: false,
    tier: 0,
    ...given,
  };
}

export function servicePort(given: Partial<DeclaredPort> = {}): DeclaredPort {
  return {
    name: 'http',
    protocol: 'TCP',
    port: 8_080,
    targetPort: 80,
    nodePort: 0,
    appProtocol: '',
    ...given,
  };
}

/** A declared service, of type ClusterIP by default. */
export function declared(given: Partial<DeclaredService> = {}): DeclaredService {
  return {
    type: 'ClusterIP',
    isHeadless: false,
    hasSelector: true,
    clusterIPs: [],
    externalName: '',
    ports: [servicePort()],
    externalIPs: [],
    loadBalancerIPs: [],
    loadBalancerIP: '',
    loadBalancerClass: '',
    loadBalancerSourceRanges: [],
    affinityMs: 0,
    publishNotReadyAddresses: false,
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    trafficDistribution: '',
    scheduler: '',
    isUnproxied: false,
    ...given,
  };
}

/** The picture of a service; by default an implicit one in `default`. */
export function snapshot(
  service: string,
  given: Partial<Omit<ServiceSnapshot, 'service'>> = {},
): ServiceSnapshot {
  revision += 1;
  return {
    namespace: 'default',
    service,
    revision: String(revision),
    declared: null,
    endpoints: [],
    ...given,
  };
}

/** `count` instances `web-0`, `web-1`... at 10.0.x.y. */
export function instances(count: number, given: Partial<Endpoint> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, i) =>
    endpoint({ instance: `web-${i}`, address: `10.0.${i >> 8}.${i & 255}`, ...given }),
  );
}
