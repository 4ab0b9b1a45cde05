import type { DeclaredPort, Endpoint, InstancePort } from '@rollcall/contract';
import type { Service } from '@rollcall/manifests';
import type { InstanceRecord } from '../../store/record.ts';
import { patternsOf } from '../instances/covering.ts';
import type { InstanceConditions } from '../instances/endpoints.ts';

/** Whether the labels have all pairs of a selector. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/**
 * Whether an instance may be behind a declared service that selects its labels: the token that set the labels must be
 * allowed to register under the service. Checked when labels are set, and here for services declared later.
 */
export function mayJoinService({ metadata, spec }: Service, record: InstanceRecord): boolean {
  const { labelScopes } = record.body;
  const { name = '', namespace } = metadata;
  if (labelScopes === undefined || name === record.service) return true;
  // Selecting `app` by the instance's own service name always means exactly those instances.
  if (spec?.selector?.['app'] === record.service) return true;
  // Versions whose scopes held in every namespace wrote a bare name.
  const patterns = [name, ...patternsOf(namespace ?? 'default', name)];
  return patterns.some((pattern) => labelScopes.includes(pattern));
}

type TargetPort = Pick<DeclaredPort, 'targetPort' | 'protocol'>;

/**
 * The port of an instance that a service port leads to. A name means the port of that name. A number means the port
 * with that containerPort, or else the number itself. Undefined when no port has that name and protocol.
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

/** The endpoints of an instance in a declared service that selects it, one per port of the service. Pure. */
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
    // A headless service may have addresses only, without ports.
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
