import { type FieldError, invalid } from '../meta/field-error.ts';
import type { Service, ServicePort, ServiceSpec } from './service.ts';

const IMMUTABLE = 'field is immutable';

/** Faults of replacing one service by another: what may not change, in the words of the API server. */
export function validateServiceUpdate(before: Service, after: Service): FieldError[] {
  const [old, next] = [before.spec ?? {}, after.spec ?? {}];
  const faults: FieldError[] = [];
  const name = after.metadata.name;
  if (name !== before.metadata.name) faults.push(invalid('metadata.name', name, IMMUTABLE));
  if (keepsAddress(old) && keepsAddress(next)) {
    const [was, is] = [addressOf(old), addressOf(next)];
    if (was !== '' && is !== '' && was !== is) {
      faults.push(invalid('spec.clusterIPs[0]', is, IMMUTABLE));
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
  return faults;
}

/**
 * What the API server of Kubernetes makes of a replacement: where it says nothing of addresses and node ports those
 * that the service has are kept, and what only the former type needed goes unless it was changed.
 */
export function carryOver(before: Service, after: Service): Service {
  const old = before.spec ?? {};
  const spec = withoutLeftovers(old, { ...after.spec });
  // One who names another address in one of the two fields means both.
  const isOther = spec.clusterIP !== undefined && spec.clusterIP !== old.clusterIP;
  if (isOther && JSON.stringify(spec.clusterIPs) === JSON.stringify(old.clusterIPs)) {
    delete spec.clusterIPs;
  }
  if (keepsAddress(old) && keepsAddress(spec) && addressOf(spec) === '') {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
  }
  spec.ports = withNodePorts(old, spec);
  const { uid, creationTimestamp } = before.metadata;
  const metadata = { ...after.metadata, uid, creationTimestamp };
  return { ...after, metadata, spec };
}

/**
 * Node ports stay with their ports: with the number and protocol, as `kubectl apply` merges them, else with the name,
 * as the API server carries them over. One that another port asks for is not carried over.
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
    // Ports that share a number share its node port too, so both may be given it by the same rule.
    for (const number of given.values()) used.add(number);
  }
  return ports.map((port) => {
    const nodePort = given.get(port);
    return nodePort === undefined ? port : { ...port, nodePort };
  });
}

/** A type without node ports ends those that the service had, wherever they stand now. One that is new is a fault. */
function withoutNodePorts(had: readonly ServicePort[], ports: ServicePort[]): ServicePort[] {
  const known = new Set(had.map(({ nodePort }) => nodePort));
  const isNew = ({ nodePort = 0 }: ServicePort) => nodePort !== 0 && !known.has(nodePort);
  if (ports.some(isNew)) return ports;
  return ports.map((port) => {
    const { nodePort: _, ...rest } = port;
    return rest;
  });
}

/** Fields that go with a type: kept by whoever did not ask for them, they would make the next type invalid. */
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
  if (!isBalanced || spec.externalTrafficPolicy !== 'Local') drop('healthCheckNodePort');
  if (spec.sessionAffinity !== 'ClientIP') delete spec.sessionAffinityConfig;
  if (spec.type === 'ExternalName') {
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

/** Types with a virtual IP: it stays until the service goes or becomes an ExternalName. */
function keepsAddress({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}
