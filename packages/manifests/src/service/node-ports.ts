import { type FieldError, invalid } from '../meta/field-error.ts';
import {
  NODE_PORTS,
  type ServicePort,
  type ServiceSpec,
  takesHealthCheckPort,
  takesNodePorts,
} from './service.ts';

const TAKEN = 'provided port is already allocated';

/**
 * Faults of the node ports that a valid service asks for, by themselves. Ports with the same number, one for each
 * protocol, may share a node port. Ports with different numbers may not, nor may health checks: it would be allocated
 * twice. `before`: the service that it replaces; the port that it has for health checks may stay.
 */
export function sharedNodePortFaults(
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
): FieldError[] {
  const { ports = [], healthCheckNodePort = 0 } = spec;
  const owners = new Map<number, number | undefined>();
  const faults = ports.flatMap(({ port, nodePort }, i) => {
    if (nodePort === undefined) return [];
    if (!owners.has(nodePort)) owners.set(nodePort, port);
    if (owners.get(nodePort) === port) return [];
    return [invalid(`spec.ports[${i}].nodePort`, nodePort, TAKEN)];
  });
  if (!takesHealthCheckPort(spec) || healthCheckNodePort === 0) return faults;
  const field = 'spec.healthCheckNodePort';
  if (owners.has(healthCheckNodePort)) faults.push(invalid(field, healthCheckNodePort, TAKEN));
  if (healthCheckNodePort === before?.healthCheckNodePort) return faults;
  const { first, last } = NODE_PORTS;
  if (healthCheckNodePort < first || healthCheckNodePort > last) {
    const detail = `failed to allocate requested HealthCheck NodePort ${healthCheckNodePort}: provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    faults.push(invalid(field, healthCheckNodePort, detail));
  }
  return faults;
}

type IsCounterpart = (one: ServicePort, other: ServicePort) => boolean;

const hasSameName: IsCounterpart = (one, other) => (one.name ?? '') === (other.name ?? '');

const hasSameNumber: IsCounterpart = (one, other) =>
  one.port === other.port && (one.protocol || 'TCP') === (other.protocol || 'TCP');

const isSilent = ({ nodePort = 0 }: ServicePort) => nodePort === 0;

/**
 * The ports of a service that replaces another, with the node ports that it does not name: those of the ports with the
 * same name, as in the API server, or else with the same number. A node port that another port asks for is not kept.
 * A load balancer that gets none gives up those that it does not name.
 */
export function keptNodePorts(
  before: ServiceSpec,
  { ports = [], ...rest }: ServiceSpec,
): ServicePort[] {
  if (!takesNodePorts(before) || !takesNodePorts(rest)) return ports;
  return withNodePortsOf(before.ports, ports, [hasSameName, hasSameNumber]);
}

/** `rules`: by which ports are found again, the most certain one first. */
function withNodePortsOf(
  before: readonly ServicePort[] = [],
  ports: ServicePort[],
  rules: readonly IsCounterpart[],
): ServicePort[] {
  const used = new Set(ports.filter((port) => !isSilent(port)).map(({ nodePort }) => nodePort));
  const given = new Map<ServicePort, number>();
  for (const rule of rules) {
    for (const port of ports) {
      if (!isSilent(port) || given.has(port)) continue;
      const known = before.find((one) => rule(one, port) && !used.has(one.nodePort));
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
