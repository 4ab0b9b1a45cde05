import type { CallSettings } from '../api/call-settings.ts';
import { RollcallError } from '../base/error.ts';
import { isRequest } from './web-input.ts';

/** `settings`: of calls to services. */
export type Fetch = (
  input: string | URL | Request,
  init?: RequestInit,
  settings?: CallSettings,
) => Promise<Response>;

/** A `fetch` that sends urls whose host names a service to that service, and passes on everything else untouched. */
export function hostFetch<S>(
  /** For a url of a service; undefined for other hosts. */
  serviceAt: (url: string) => S | undefined,
  fetchOf: (service: S, ...call: Parameters<Fetch>) => Promise<Response>,
  /** For other hosts. */
  otherwise: () => Fetch,
): Fetch {
  // Not async: that would put another promise around that of fetch, and a call would cost measurably more.
  return (input, init, settings) => {
    try {
      const url = isRequest(input) ? input.url : String(input);
      // Whoever names a dispatcher has chosen the way.
      const isOwn = init !== undefined && 'dispatcher' in init && init.dispatcher !== undefined;
      const service = isOwn ? undefined : serviceAt(url);
      if (service !== undefined) return fetchOf(service, input, init, settings);
      if (settings === undefined) return otherwise()(input, init);
      throw new RollcallError(
        'invalid_host',
        'options of a call are for services only, and the url is that of another host: give a signal instead',
      );
    } catch (error) {
      return Promise.reject(error);
    }
  };
}
