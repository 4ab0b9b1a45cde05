import type { TargetGroupConfig } from '../../config/schema.ts';

/** End of the names of services, as in the SDK. */
const SUFFIX = 'rollcall';

/**
 * Names of which a target's certificate must have one. By default those of the service, because an address comes from
 * the registry and proves nothing; they are the same as in the SDK.
 */
export function targetNames({
  service,
  namespace,
  tls: { servername },
}: TargetGroupConfig): [string, ...string[]] {
  if (servername !== undefined) return [servername];
  const whole = `${service}.${namespace}.${SUFFIX}`;
  return namespace === 'default' ? [whole, `${service}.${SUFFIX}`] : [whole];
}
