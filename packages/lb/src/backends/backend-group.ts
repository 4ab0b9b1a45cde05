import { TargetGroup } from '../config/group-schema.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { ServiceRef } from './service-ports.ts';

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
