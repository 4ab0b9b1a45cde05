import type { CallSettings } from '../api/call-settings.ts';
import { RollcallError } from '../base/error.ts';
import { serviceHostOf, type ServiceHost } from '../base/service-host.ts';
import { isRequest } from './web-input.ts';

/** `settings`: of calls to services. */
export type Fetch = (
  input: string | URL | Request,
  init?: RequestInit,
  settings?: CallSettings,
) => Promise<Response>;

/** A `fetch` that sends urls whose host names a service to that service, and passes on everything else untouched. */
export function hostFetch(
  suffix: string,
  fetchOf: (host: ServiceHost) => Fetch,
  /** For other hosts. */
  otherwise: () => Fetch,
): Fetch {
  return async (input, init, settings) => {
    const url = isRequest(input) ? input.url : String(input);
    // Whoever names a dispatcher has chosen the way.
    const isOwn = init !== undefined && 'dispatcher' in init && init.dispatcher !== undefined;
    const host = isOwn || !url.includes(suffix) ? undefined : serviceHostOf(url, suffix);
    if (host !== undefined) return fetchOf(host)(input, init, settings);
    if (settings === undefined) return otherwise()(input, init);
    throw new RollcallError(
      'invalid_host',
      'options of a call are for services only, and the url is that of another host: give a signal instead',
    );
  };
}
