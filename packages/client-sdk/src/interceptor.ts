import { NamespaceName, ServiceName } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { takenOver } from './undici/taken-over.ts';
import { isLegacy, tellError } from './undici/legacy-handler.ts';
import { RollcallError } from './base/error.ts';

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

/** A dispatcher that may have been closed since it was returned. */
export interface ClosableDispatcher extends Dispatcher {
  readonly isClosed: boolean;
}

/** Maximum number of remembered origins; a program that uses more pays for parsing them again. */
const MAX_REMEMBERED = 1_000;

/**
 * An undici interceptor that sends requests for service hosts to `dispatcherOf` and passes on all others. It parses an
 * origin once: after that a request costs one map lookup.
 */
export function createInterceptor(
  suffix: string,
  dispatcherOf: (host: ServiceHost) => ClosableDispatcher,
): Dispatcher.DispatcherComposeInterceptor {
  const known = new Map<string, ClosableDispatcher>();
  const find = (origin: string): ClosableDispatcher | undefined => {
    const host = serviceHostOf(origin, suffix);
    if (host === undefined) return undefined;
    const dispatcher = dispatcherOf(host);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(origin, dispatcher);
    return dispatcher;
  };
  return (dispatch) => (options, handler) => {
    const origin = typeof options.origin === 'string' ? options.origin : options.origin?.origin;
    if (origin === undefined || !origin.includes(suffix)) return dispatch(options, handler);
    let target = known.get(origin);
    try {
      if (target === undefined || target.isClosed) target = find(origin);
    } catch (error) {
      tellError(handler, error as Error);
      return false;
    }
    if (target === undefined) return dispatch(options, handler);
    const isForeign = isLegacy(handler) || 'dispatcher' in options;
    return target.dispatch(isForeign ? takenOver(options) : options, handler);
  };
}
