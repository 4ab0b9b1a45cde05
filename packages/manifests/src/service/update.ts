import { type FieldError, forbidden, invalid } from '../meta/field-error.ts';
import { isHeadlessSpec } from './families.ts';
import { keptNodePorts } from './node-ports.ts';
import {
  isReachedFromOutside,
  type Service,
  type ServicePort,
  type ServiceSpec,
  takesClusterIp,
  takesHealthCheckPort,
} from './service.ts';

const IMMUTABLE = 'field is immutable';

/** Faults of replacing one service by another: what must not change, in the words of the API server. */
export function validateServiceUpdate(before: Service, after: Service): FieldError[] {
  const [old, next] = [before.spec ?? {}, after.spec ?? {}];
  const faults: FieldError[] = [];
  const name = after.metadata.name;
  if (name !== before.metadata.name) faults.push(invalid('metadata.name', name, IMMUTABLE));
  if (takesClusterIp(old) && takesClusterIp(next)) {
    const [was, is] = [addressOf(old), addressOf(next)];
    if (was !== '' && is !== '' && was !== is) {
      const value = next.clusterIPs ?? [is];
      faults.push(invalid('spec.clusterIPs[0]', value, 'may not change once set'));
    }
    const [family, other] = [old.ipFamilies?.[0], next.ipFamilies?.[0]];
    const isOther = family !== undefined && other !== undefined && family !== other;
    // The families of a headless service are those of its endpoints.
    if (isOther && !isHeadlessSpec(old) && !isHeadlessSpec(next))
      faults.push(invalid('spec.ipFamilies[0]', next.ipFamilies, 'may not change once set'));
  }
  if (
    old.type === 'LoadBalancer' &&
    next.type === 'LoadBalancer' &&
    old.loadBalancerClass !== next.loadBalancerClass
  ) {
    const detail = 'may not change once set';
    // The API server writes an absent text as this text.
    faults.push(invalid('spec.loadBalancerClass', next.loadBalancerClass ?? 'null', detail));
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
  // A manifest that changes or clears only `clusterIP` means both of the address fields.
  if (spec.clusterIP !== old.clusterIP && isSame(spec.clusterIPs, old.clusterIPs))
    delete spec.clusterIPs;
  if (takesClusterIp(old) && takesClusterIp(spec)) keepAddress(old, spec);
  if (spec.ports !== undefined) spec.ports = withNodePorts(old, spec);
  const isChecked = takesHealthCheckPort(old) && takesHealthCheckPort(spec);
  if (isChecked && !spec.healthCheckNodePort && old.healthCheckNodePort !== undefined)
    spec.healthCheckNodePort = old.healthCheckNodePort;
  const { uid, creationTimestamp } = before.metadata;
  const metadata = { ...after.metadata, uid, creationTimestamp };
  return { ...after, metadata, spec };
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The address and the families of the old service, where the new one does not name them. */
function keepAddress(old: ServiceSpec, spec: ServiceSpec): void {
  if (addressOf(spec) === '') {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
  }
  const { ipFamilyPolicy = old.ipFamilyPolicy, ipFamilies = [] } = spec;
  if (ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = ipFamilyPolicy;
  // Whoever asks for one family, and puts the rest back as it was, gives up the second one.
  if (ipFamilyPolicy === 'SingleStack' && isSame(ipFamilies, old.ipFamilies))
    spec.ipFamilies = ipFamilies.slice(0, 1);
}

function withNodePorts(old: ServiceSpec, spec: ServiceSpec): ServicePort[] {
  const { ports = [], type } = spec;
  if (type === 'NodePort' || type === 'LoadBalancer') return keptNodePorts(old, spec);
  return withoutNodePorts(
    (old.ports ?? []).filter(({ nodePort }) => nodePort !== undefined),
    ports,
  );
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
    if (isSame(spec[field], old[field])) delete spec[field];
  };
  const isBalanced = spec.type === 'LoadBalancer';
  if (!isBalanced) {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
    drop('loadBalancerSourceRanges');
  }
  if (!isReachedFromOutside(spec)) drop('externalTrafficPolicy');
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
