import { TargetGroup } from '../config/group-schema.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { PortLookup, ServiceRef } from './service-ports.ts';

/**
 * The target group of a backend, which it may share with others. `portName`: empty for the only port. Undefined: no service
 * can have such a name, or such a port.
 */
export function backendGroup(
  prefix: string,
  { namespace, service }: ServiceRef,
  portName: string,
): { readonly name: string; readonly config: TargetGroupConfig } | undefined {
  const wanted = portName === '' ? {} : { port: portName };
  const parsed = TargetGroup.safeParse({ service, namespace, ...wanted });
  if (!parsed.success) return undefined;
  const port = portName === '' ? '' : `:${portName}`;
  return { name: `${prefix}/${namespace}/${service}${port}`, config: parsed.data };
}

/** A number that the service does not have stands for itself: no port has such a name, so that requests get a 503. */
export function portNamed(portOf: PortLookup, service: ServiceRef, number = 0): string {
  return portOf(service, number) ?? String(number);
}
