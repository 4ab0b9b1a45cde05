import {
  isHeadlessSpec,
  type Service,
  type ServicePort,
  takesClusterIp,
  takesHealthCheckPort,
  takesNodePorts,
} from '@rollcall/manifests';
import type { Claim } from '../../store/record.ts';
import type { ClaimRequest } from '../../store/store.ts';
import { ipv4OfNumber, numberOfIpv4 } from './ipv4.ts';

/** One number that a service claims, and its place in the manifest. */
interface ClaimSlot extends ClaimRequest {
  /** Path of the field, for error messages. */
  readonly field: string;
  /** Indexes of the ports that share a node port; empty for other slots. */
  readonly ports: readonly number[];
}

/** Whether it is headless: `clusterIP: None`. */
export function isHeadless({ spec }: Service): boolean {
  return isHeadlessSpec(spec ?? {});
}

/**
 * The claims of a service, always in the same order: cluster IP, node ports, health check node port. Ports with the
 * same number but different protocols share a node port, as in Kubernetes.
 */
export function claimSlotsOf(service: Service): ClaimSlot[] {
  const { spec = {} } = service;
  const slots: ClaimSlot[] = [];
  if (takesClusterIp(spec) && !isHeadless(service)) {
    const address = spec.clusterIPs?.[0] ?? spec.clusterIP ?? '';
    const number = address === '' ? undefined : numberOfIpv4(address);
    slots.push({ pool: 'clusterIps', number, field: 'spec.clusterIPs', ports: [] });
  }
  // A load balancer without node ports of its own still keeps those that the manifest names.
  const givesNodePorts = takesNodePorts(spec);
  const byNumber = new Map<string, { number: number | undefined; ports: number[] }>();
  for (const [i, { port, protocol, nodePort: own }] of (spec.ports ?? []).entries()) {
    if (own === undefined && !givesNodePorts) continue;
    const nodePort = own ?? sharedNodePort(spec.ports ?? [], { port, protocol });
    const key = nodePort === undefined ? `port ${port}` : `nodePort ${nodePort}`;
    const slot = byNumber.get(key) ?? { number: nodePort, ports: [] };
    slot.ports.push(i);
    byNumber.set(key, slot);
  }
  for (const { number, ports: sharing } of byNumber.values()) {
    const field = `spec.ports[${sharing[0]}].nodePort`;
    slots.push({ pool: 'nodePorts', number, field, ports: sharing });
  }
  if (takesHealthCheckPort(spec)) {
    const number = spec.healthCheckNodePort === 0 ? undefined : spec.healthCheckNodePort;
    slots.push({ pool: 'nodePorts', number, field: 'spec.healthCheckNodePort', ports: [] });
  }
  return slots;
}

/** The node port that the same port number names for another protocol, unless this protocol uses it elsewhere. */
function sharedNodePort(
  ports: readonly ServicePort[],
  { port, protocol }: Pick<ServicePort, 'port' | 'protocol'>,
): number | undefined {
  return ports
    .filter((one) => one.port === port)
    .map(({ nodePort }) => nodePort)
    .find(
      (number) =>
        number !== undefined &&
        !ports.some((one) => one.protocol === protocol && one.nodePort === number),
    );
}

/** The service with its given numbers: `claims` are those of its slots, in the same order. */
export function withClaims(service: Service, claims: readonly Claim[]): Service {
  if (claims.length === 0) return service;
  const spec = { ...service.spec };
  const ports = [...(spec.ports ?? [])];
  for (const [i, slot] of claimSlotsOf(service).entries()) {
    const number = claims[i]?.number;
    if (number === undefined) continue;
    if (slot.pool === 'clusterIps') {
      spec.clusterIP = ipv4OfNumber(number);
      spec.clusterIPs = [spec.clusterIP];
      spec.ipFamilies ??= ['IPv4'];
    } else if (slot.ports.length === 0) spec.healthCheckNodePort = number;
    for (const index of slot.ports) ports[index] = { ...ports[index], nodePort: number };
  }
  if (ports.length > 0) spec.ports = ports;
  return { ...service, spec };
}
