import type { Dispatcher } from 'undici';
import { takenOver } from '../undici/taken-over.ts';
import { isLegacy, tellError } from '../undici/legacy-handler.ts';

/**
 * An undici interceptor that sends requests for service hosts to their dispatchers and passes on all others. `at` throws
 * for a host that is neither.
 */
export function createInterceptor(
  at: (origin: string) => Dispatcher | undefined,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const origin = typeof options.origin === 'string' ? options.origin : options.origin?.origin;
    let target: Dispatcher | undefined;
    try {
      target = origin === undefined ? undefined : at(origin);
    } catch (error) {
      tellError(handler, error as Error);
      return false;
    }
    if (target === undefined) return dispatch(options, handler);
    const isForeign = isLegacy(handler) || 'dispatcher' in options;
    return target.dispatch(isForeign ? takenOver(options) : options, handler);
  };
}
