import { REQUEST_POLICIES } from '@rollcall/balancing';
import { NamespaceName, PortName, ServiceName } from '@rollcall/contract';
import { z } from 'zod';
import { CALL_LIMITS } from '../api/call-settings.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { ServiceOptions } from '../api/service.ts';
import { parseOptions } from '../base/parse-options.ts';

const ServiceKey = z.strictObject({
  name: ServiceName,
  namespace: NamespaceName,
  port: PortName.optional(),
  policy: z.enum(REQUEST_POLICIES),
  scheme: z.enum(['http', 'https']).default('http'),
  servername: z.hostname().optional(),
  http2: z.boolean({ error: 'expected true or false' }).default(false),
  ...CALL_LIMITS,
});

interface Defaults extends Pick<ResolvedOptions, 'namespace' | 'policy'> {
  readonly usualPort: string | undefined;
}

/** What makes a service this one and no other; the limits of its calls belong to each handle. */
export function parseService(
  name: string,
  given: ServiceOptions,
  { namespace, policy, usualPort }: Defaults,
) {
  const checked = parseOptions(ServiceKey, { namespace, policy, ...given, name });
  const { timeoutMs, tryTimeoutMs, retry, ...parsed } = checked;
  // A port that was named is the same for every way of calling, and so are its connections.
  const key = JSON.stringify(parsed.port === undefined ? { ...parsed, usualPort } : parsed);
  return { parsed, key, limits: { timeoutMs, tryTimeoutMs, retry } };
}
