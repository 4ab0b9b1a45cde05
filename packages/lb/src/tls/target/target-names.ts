import type { TargetGroupConfig } from '../../config/schema.ts';

/** End of the names of services, as in the SDK. */
const SUFFIX = 'rollcall';

const NO_NAME = 'unknown.invalid';

/**
 * Names of which a target's certificate must have one. By default those of the service, because an address comes from
 * the registry and proves nothing; they are the same as in the SDK. Without a service, the name that DNS is asked for.
 */
export function targetNames({
  service,
  namespace,
  dns,
  tls: { servername },
}: TargetGroupConfig): [string, ...string[]] {
  if (servername !== undefined) return [servername];
  // Without any name nothing is verified: a configuration that wants more is refused.
  if (service === undefined) return [dns?.name.replace(/\.$/, '') ?? NO_NAME];
  const whole = `${service}.${namespace}.${SUFFIX}`;
  return namespace === 'default' ? [whole, `${service}.${SUFFIX}`] : [whole];
}
