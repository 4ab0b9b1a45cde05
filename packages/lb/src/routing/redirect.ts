import type { RequestView, Respond } from '@rollcall/dataplane';
import type { RedirectConfig } from '../config/schema.ts';

const NO_HOST: Respond = Object.freeze({
  kind: 'respond',
  status: 400,
  code: 'no_host',
  detail: 'the request names no host, so there is no address over https',
});

/** These may be sent again as GET; other methods would become GET after a 301. */
const PLAIN = new Set(['GET', 'HEAD']);

/** Sends clients to the same host and path over https. */
export class RedirectAction {
  readonly kind = 'redirect';
  readonly #status: number | undefined;
  readonly #port: () => number;

  /** `httpsPort`: that of the https listener; asked for each request, because a listener may be opened later. */
  constructor({ port, status }: RedirectConfig, httpsPort: () => number) {
    this.#status = status;
    this.#port = port === undefined ? httpsPort : () => port;
  }

  answer({ method, host, target }: RequestView): Respond {
    if (host === '') return NO_HOST;
    const port = this.#port();
    const authority = port === 443 ? host : `${host}:${port}`;
    // `OPTIONS *` is about the server as a whole.
    const path = target.startsWith('/') ? target : '/';
    return {
      kind: 'respond',
      status: this.#status ?? (PLAIN.has(method) ? 301 : 308),
      code: 'redirected',
      detail: 'this address is served over https',
      location: `https://${authority}${path}`,
    };
  }
}
