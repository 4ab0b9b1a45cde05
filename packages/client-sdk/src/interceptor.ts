import type { Dispatcher } from 'undici';
import { takenOver } from './undici/taken-over.ts';
import { isLegacy, tellError } from './undici/legacy-handler.ts';
import { type ServiceHost, serviceHostOf } from './base/service-host.ts';

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
