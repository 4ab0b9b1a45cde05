import type { DeclaredPort, Endpoint, InstancePort } from '@rollcall/contract';
import type { Service } from '@rollcall/manifests';
import type { InstanceRecord } from '../../store/record.ts';
import { patternsOf } from '../instances/covering.ts';
import type { InstanceConditions } from '../instances/endpoints.ts';

/** Whether labels have all that a selector wants. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/**
 * Whether an instance may stand behind a declared service that its labels fit: whoever set them must be allowed to
 * register under it. Checked when labels are set, and here against what is declared later.
 */
export function isVouchedFor({ metadata, spec }: Service, record: InstanceRecord): boolean {
  const { covers } = record.body;
  const { name = '', namespace } = metadata;
  if (covers === undefined || name === record.service) return true;
  // Who selects by a service's own name means exactly its instances.
  if (spec?.selector?.['app'] === record.service) return true;
  // A bare name was written by a version whose scopes held in every namespace.
  const patterns = [name, ...patternsOf(namespace ?? 'default', name)];
  return patterns.some((pattern) => covers.includes(pattern));
}

type TargetPort = Pick<DeclaredPort, 'targetPort' | 'protocol'>;

/**
 * Where a service port leads on an instance. A name is a port of that name; a number is the port whose containerPort
 * it is, else the number itself. Undefined when the instance has no port of that name and protocol.
 */
export function targetPortOn(
  ports: Readonly<Record<string, InstancePort>>,
  { targetPort, protocol }: TargetPort,
): InstancePort | undefined {
  if (typeof targetPort === 'string') {
    const own = ports[targetPort];
    return own?.protocol === protocol ? own : undefined;
  }
  const names = Object.keys(ports).toSorted();
  const name = names.find((one) => {
    const own = ports[one];
    return own?.protocol === protocol && (own.containerPort ?? own.port) === targetPort;
  });
  return name === undefined ? { port: targetPort, protocol } : ports[name];
}

/** The endpoints of an instance that a declared service selects, one for each of the service's ports. Pure. */
export function selectedEndpoints(
  service: Service,
  record: InstanceRecord,
  conditions: InstanceConditions,
): readonly Endpoint[] {
  const { spec = {}, metadata } = service;
  const { body, id } = record;
  const prefix = record.service === metadata.name ? '' : `${record.service}/`;
  const endpointOf = (portName: string, { port, containerPort, protocol }: InstancePort) =>
    Object.freeze({
      id: `${prefix}${id}/${portName}`,
      instance: id,
      address: body.address,
      port,
      portName,
      protocol,
      containerPort: containerPort ?? port,
      zone: body.zone,
      weight: body.weight,
      labels: body.labels,
      ...conditions,
      ...published(spec.publishNotReadyAddresses === true, conditions),
    });
  if ((spec.ports ?? []).length === 0) {
    // A headless service may be about addresses alone.
    const [first] = Object.values(body.ports);
    return first === undefined ? [] : [endpointOf('', first)];
  }
  return (spec.ports ?? []).flatMap(({ name = '', protocol, targetPort, port = 0 }) => {
    const target = targetPortOn(body.ports, {
      protocol: (protocol ?? 'TCP') as Endpoint['protocol'],
      targetPort: targetPort ?? port,
    });
    return target === undefined ? [] : [endpointOf(name, target)];
  });
}

/** `publishNotReadyAddresses`: everything counts as ready. */
function published(
  isWanted: boolean,
  { tier }: InstanceConditions,
): Partial<Pick<Endpoint, 'ready' | 'tier'>> {
  return isWanted ? { ready: true, tier: tier ?? 0 } : {};
}
