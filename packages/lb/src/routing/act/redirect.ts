import type { RequestView, Respond } from '@rollcall/dataplane';
import type { RedirectConfig } from '../../config/schema.ts';
import type { PathPattern } from '../../matching/path-pattern.ts';
import type { Action } from './action.ts';
import { changedPath, queryOf } from './rewrite.ts';

const NO_HOST: Respond = Object.freeze({
  kind: 'respond',
  status: 400,
  code: 'no_host',
  detail: 'the request names no host, so there is no address to send it to',
});

/** These may be sent again as GET; other methods would become GET after a 301. */
const PLAIN = new Set(['GET', 'HEAD']);
const PORT = /:\d+$/;
const USUAL_PORTS = { http: 80, https: 443 } as const;

export interface RedirectParts {
  /** That of the https listener; asked for each request, because a listener may be opened later. */
  readonly httpsPort: () => number;
  readonly pattern?: PathPattern | undefined;
}

/** Sends clients to another address: over https, at another host, or with another path. */
export class RedirectAction implements Action {
  readonly #config: RedirectConfig;
  readonly #parts: RedirectParts;

  constructor(config: RedirectConfig, parts: RedirectParts) {
    this.#config = config;
    this.#parts = parts;
  }

  decide(request: RequestView, path: string): Respond {
    const { status, query } = this.#config;
    const authority = this.#authority(request);
    if (authority === undefined) return NO_HOST;
    const kept = query === undefined ? queryOf(request.target) : query && `?${query}`;
    // `OPTIONS *` is about the server as a whole.
    const isWhole = request.target === '*';
    const target = isWhole ? '/' : `${this.#pathOf(request, path)}${kept}`;
    return {
      kind: 'respond',
      status: status ?? (PLAIN.has(request.method) ? 301 : 308),
      code: 'redirect',
      detail: 'the configuration sends clients to another address',
      location: `${authority}${target}`,
    };
  }

  /** As it was sent, unless the rule changes it. */
  #pathOf(request: RequestView, path: string): string {
    const { path: whole, prefix } = this.#config;
    if (whole === undefined && prefix === undefined) return request.path;
    return changedPath(path, { path: whole, prefix }, this.#parts.pattern);
  }

  #authority(request: RequestView): string | undefined {
    const current = request.isSecure ? 'https' : 'http';
    const { scheme = current, host, port } = this.#config;
    if (request.host === '' && host === undefined) return undefined;
    if (host !== undefined && PORT.test(host)) return `${scheme}://${host}`;
    // Whoever stays keeps the port that it asked for.
    const stays = host === undefined && port === undefined && scheme === current;
    if (stays) return `${scheme}://${request.field('host') ?? request.host}`;
    const chosen = port ?? (scheme === 'https' ? this.#parts.httpsPort() : USUAL_PORTS.http);
    const name = host ?? request.host;
    return `${scheme}://${chosen === USUAL_PORTS[scheme] ? name : `${name}:${chosen}`}`;
  }
}
