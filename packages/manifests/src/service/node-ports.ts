import { type FieldError, invalid } from '../meta/field-error.ts';
import type { ServiceSpec } from './service.ts';

/**
 * Faults of the node ports that a valid service asks for, by themselves. Ports with the same number, one for each
 * protocol, may share a node port. Ports with different numbers may not: it would be allocated twice.
 */
export function sharedNodePortFaults({ ports = [] }: ServiceSpec): FieldError[] {
  const owners = new Map<number, number | undefined>();
  return ports.flatMap(({ port, nodePort }, i) => {
    if (nodePort === undefined) return [];
    if (!owners.has(nodePort)) owners.set(nodePort, port);
    if (owners.get(nodePort) === port) return [];
    return [invalid(`spec.ports[${i}].nodePort`, nodePort, 'provided port is already allocated')];
  });
}
