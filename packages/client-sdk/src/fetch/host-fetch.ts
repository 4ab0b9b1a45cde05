import { serviceHostOf, type ServiceHost } from '../base/service-host.ts';
import { isRequest } from './web-input.ts';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A `fetch` that sends urls whose host names a service to that service, and passes on everything else untouched. */
export function hostFetch(
  suffix: string,
  fetchOf: (host: ServiceHost) => Fetch,
  /** For other hosts. */
  otherwise: () => Fetch,
): Fetch {
  return async (input, init) => {
    const url = isRequest(input) ? input.url : String(input);
    // Whoever names a dispatcher has chosen the way.
    const isOwn = init !== undefined && 'dispatcher' in init && init.dispatcher !== undefined;
    const host = isOwn || !url.includes(suffix) ? undefined : serviceHostOf(url, suffix);
    return host === undefined ? otherwise()(input, init) : fetchOf(host)(input, init);
  };
}
