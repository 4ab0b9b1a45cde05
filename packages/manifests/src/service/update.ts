import { type FieldError, forbidden, invalid } from '../meta/field-error.ts';
import {
  type Service,
  type ServicePort,
  type ServiceSpec,
  takesHealthCheckPort,
} from './service.ts';

const IMMUTABLE = 'field is immutable';

/** Faults of replacing one service by another: what must not change, in the words of the API server. */
export function validateServiceUpdate(before: Service, after: Service): FieldError[] {
  const [old, next] = [before.spec ?? {}, after.spec ?? {}];
  const faults: FieldError[] = [];
  const name = after.metadata.name;
  if (name !== before.metadata.name) faults.push(invalid('metadata.name', name, IMMUTABLE));
  if (keepsAddress(old) && keepsAddress(next)) {
    const [was, is] = [addressOf(old), addressOf(next)];
    if (was !== '' && is !== '' && was !== is) {
      const value = next.clusterIPs ?? [is];
      faults.push(invalid('spec.clusterIPs[0]', value, 'may not change once set'));
    }
  }
  if (
    old.type === 'LoadBalancer' &&
    next.type === 'LoadBalancer' &&
    old.loadBalancerClass !== next.loadBalancerClass
  ) {
    const detail = 'may not change once set';
    faults.push(invalid('spec.loadBalancerClass', next.loadBalancerClass ?? null, detail));
  }
  const isChecked = takesHealthCheckPort(old) && takesHealthCheckPort(next);
  if (isChecked && old.healthCheckNodePort !== next.healthCheckNodePort)
    faults.push(forbidden('spec.healthCheckNodePort', IMMUTABLE));
  return faults;
}

/**
 * Completes a replacement as the API server of Kubernetes does: addresses and node ports that it does not name are
 * kept, and fields that only the former type needed are dropped, unless they were changed.
 */
export function carryOver(before: Service, after: Service): Service {
  const old = before.spec ?? {};
  const spec = withoutLeftovers(old, { ...after.spec });
  // A manifest that changes only one of the two address fields means both.
  const isOther = (spec.clusterIP ?? '') !== (old.clusterIP ?? '');
  if (isOther && JSON.stringify(spec.clusterIPs) === JSON.stringify(old.clusterIPs)) {
    delete spec.clusterIPs;
  }
  if (keepsAddress(old) && keepsAddress(spec) && addressOf(spec) === '') {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
  }
  spec.ports = withNodePorts(old, spec);
  const isChecked = takesHealthCheckPort(old) && takesHealthCheckPort(spec);
  if (isChecked && !spec.healthCheckNodePort && old.healthCheckNodePort !== undefined)
    spec.healthCheckNodePort = old.healthCheckNodePort;
  const { uid, creationTimestamp } = before.metadata;
  const metadata = { ...after.metadata, uid, creationTimestamp };
  return { ...after, metadata, spec };
}

/**
 * Node ports stay with their ports: matched by number and protocol, as `kubectl apply` merges them, else by name, as
 * the API server carries them over. A node port that another port asks for is not carried over.
 */
function withNodePorts(old: ServiceSpec, spec: ServiceSpec): ServicePort[] {
  const ports = spec.ports ?? [];
  const had = (old.ports ?? []).filter(({ nodePort }) => nodePort !== undefined);
  const isSame = (one: ServicePort, other: ServicePort) =>
    one.port === other.port && one.protocol === other.protocol;
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return withoutNodePorts(had, ports);
  const isSilent = ({ nodePort = 0 }: ServicePort) => nodePort === 0;
  const used = new Set(ports.filter((port) => !isSilent(port)).map(({ nodePort }) => nodePort));
  const given = new Map<ServicePort, number>();
  const rules = [
    isSame,
    (one: ServicePort, port: ServicePort) => (one.name ?? '') === (port.name ?? ''),
  ];
  for (const rule of rules) {
    for (const port of ports) {
      if (!isSilent(port) || given.has(port)) continue;
      const known = had.find((one) => rule(one, port) && !used.has(one.nodePort));
      if (known?.nodePort !== undefined) given.set(port, known.nodePort);
    }
    // Ports with the same number share a node port, so the same rule may give it to both.
    for (const number of given.values()) used.add(number);
  }
  return ports.map((port) => {
    const nodePort = given.get(port);
    return nodePort === undefined ? port : { ...port, nodePort };
  });
}

/** Removes the former node ports, at any port, since the new type has none. A new node port is left in, as a fault. */
function withoutNodePorts(had: readonly ServicePort[], ports: ServicePort[]): ServicePort[] {
  const known = new Set(had.map(({ nodePort }) => nodePort));
  const isNew = ({ nodePort = 0 }: ServicePort) => nodePort !== 0 && !known.has(nodePort);
  if (ports.some(isNew)) return ports;
  return ports.map((port) => {
    const { nodePort: _, ...rest } = port;
    return rest;
  });
}

/** Removes unchanged fields of the former type, which would make the new type invalid. */
function withoutLeftovers(old: ServiceSpec, spec: ServiceSpec): ServiceSpec {
  const drop = (field: keyof ServiceSpec) => {
    if (JSON.stringify(spec[field]) === JSON.stringify(old[field])) delete spec[field];
  };
  const isBalanced = spec.type === 'LoadBalancer';
  const hasExternalIps = spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0;
  const isExternal = isBalanced || spec.type === 'NodePort' || hasExternalIps;
  if (!isBalanced) {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
    drop('loadBalancerSourceRanges');
  }
  if (!isExternal) drop('externalTrafficPolicy');
  if (!takesHealthCheckPort(spec)) drop('healthCheckNodePort');
  if (spec.sessionAffinity !== 'ClientIP') delete spec.sessionAffinityConfig;
  if (spec.type === 'ExternalName' && old.type !== 'ExternalName') {
    for (const field of [
      'clusterIP',
      'clusterIPs',
      'ipFamilies',
      'ipFamilyPolicy',
      'internalTrafficPolicy',
    ] as const) {
      drop(field);
    }
  }
  return spec;
}

function addressOf({ clusterIP = '', clusterIPs = [] }: ServiceSpec): string {
  return clusterIPs[0] ?? clusterIP;
}

/** Whether the type has a virtual IP. It stays until the service is deleted or becomes an ExternalName. */
function keepsAddress({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}
