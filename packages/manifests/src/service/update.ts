import { type FieldError, invalid } from '../field-error.ts';
import type { Service, ServiceSpec } from './service.ts';

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

/** A replacement that says nothing of addresses and node ports keeps those that the service has. */
export function carryOver(before: Service, after: Service): Service {
  const [old, next] = [before.spec ?? {}, after.spec ?? {}];
  const spec: ServiceSpec = { ...next };
  if (keepsAddress(old) && keepsAddress(next) && addressOf(next) === '') {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
  }
  const hasNodePorts = next.type === 'NodePort' || next.type === 'LoadBalancer';
  spec.ports = (next.ports ?? []).map((port) => {
    if (!hasNodePorts || port.nodePort !== undefined) return port;
    const known = (old.ports ?? []).find(
      (one) => one.port === port.port && one.protocol === port.protocol,
    );
    return known?.nodePort === undefined ? port : { ...port, nodePort: known.nodePort };
  });
  const { uid, creationTimestamp } = before.metadata;
  const metadata = { ...after.metadata, uid, creationTimestamp };
  return { ...after, metadata, spec };
}

function addressOf({ clusterIP = '', clusterIPs = [] }: ServiceSpec): string {
  return clusterIPs[0] ?? clusterIP;
}

/** Types with a virtual IP: it stays until the service goes or becomes an ExternalName. */
function keepsAddress({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}
