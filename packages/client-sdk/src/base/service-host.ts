import { NamespaceName, ServiceName } from '@rollcall/contract';
import { RollcallError } from './error.ts';

/** The service that a host name refers to. */
export interface ServiceHost {
  readonly service: string;
  readonly namespace: string | undefined;
  readonly scheme: 'http' | 'https';
}

/**
 * Parses `http://orders.rollcall` or `http://orders.shop.rollcall`; undefined for every other host. Ignores the port
 * number. Throws a {@link RollcallError} `invalid_host` for a host below the suffix that is not a service name.
 */
export function serviceHostOf(origin: string, suffix: string): ServiceHost | undefined {
  const url = URL.parse(origin);
  if (!url?.hostname.endsWith(`.${suffix}`)) return undefined;
  const [service, namespace, ...more] = url.hostname.slice(0, -suffix.length - 1).split('.');
  const isService =
    more.length === 0 &&
    ServiceName.safeParse(service).success &&
    (namespace === undefined || NamespaceName.safeParse(namespace).success);
  if (service === undefined || !isService)
    throw new RollcallError(
      'invalid_host',
      `${url.hostname} names no service: expected <service>.${suffix} or <service>.<namespace>.${suffix}`,
    );
  return { service, namespace, scheme: url.protocol === 'https:' ? 'https' : 'http' };
}
