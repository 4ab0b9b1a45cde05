import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { hostnameOf, HostPatterns, isLoopback, plainAddress } from './options/host-patterns.ts';
import { sendProblem } from './problem.ts';
import type { Refusal } from './refusal.ts';

/** Verdicts on `Host` that are kept: an attacker may send a new one with each request. */
const KEPT_VERDICTS = 1_000;

export interface BrowserGuardOptions {
  /** Hosts besides the machine's own: names, `*.suffix`, IP addresses, or `*` for every host. @default none */
  readonly allowHosts?: readonly string[];
  /** Origins of pages that may ask, such as `https://console.example.org`. @default none but the server's own */
  readonly allowOrigins?: readonly string[];
  /** Whether an `Authorization` header holds a token that is known: such a caller is no page of a stranger. @default never */
  readonly isTrusted?: (authorization: string | undefined) => boolean;
}

/**
 * Tells requests that a stranger's web page makes from others. Every page that the user of a machine opens can send
 * requests to the loopback address; after DNS rebinding it can read the answers too. A browser says in `Origin` and
 * `Sec-Fetch-Site` where a request comes from (Fetch Metadata Request Headers), and in `Host` which name it believes in.
 */
export class BrowserGuard {
  readonly #hosts: HostPatterns;
  readonly #origins: ReadonlySet<string>;
  readonly #isTrusted: (authorization: string | undefined) => boolean;
  /** `Host` -> the local address that it was found right for; looked up on each request. */
  readonly #verdicts = new Map<string, string>();

  constructor({ allowHosts = [], allowOrigins = [], isTrusted }: BrowserGuardOptions = {}) {
    this.#hosts = new HostPatterns([hostname(), ...allowHosts]);
    this.#origins = new Set(allowOrigins.map((origin) => origin.toLowerCase()));
    this.#isTrusted = isTrusted ?? (() => false);
  }

  /** Why a request is refused; undefined = it is let in. Reads nothing but its head. */
  refusalOf(request: IncomingMessage): Refusal | undefined {
    const { host, origin, authorization, 'sec-fetch-site': site } = request.headers;
    const isPlain = origin === undefined && site === undefined;
    if (isPlain && this.#isOwn(host, request)) return undefined;
    if (authorization !== undefined && this.#isTrusted(authorization)) return undefined;
    return this.#hostRefusal(host, request) ?? this.#originRefusal(request.headers);
  }

  #hostRefusal(host: string | undefined, request: IncomingMessage): Refusal | undefined {
    if (this.#isOwn(host, request)) return undefined;
    if (host === undefined || host === '') {
      const message = "expected the header 'host' with every request of HTTP/1.1";
      return { status: 400, code: 'invalid_request', message, field: 'host' };
    }
    const message = `expected an address of this server, a loopback name or an allowed host, got ${JSON.stringify(host.slice(0, 200))}; --allow-host names further ones`;
    return { status: 421, code: 'host_refused', message, field: 'host' };
  }

  #originRefusal({
    origin,
    host,
    'sec-fetch-site': site,
  }: IncomingMessage['headers']): Refusal | undefined {
    if (origin !== undefined) {
      if (this.#origins.has(origin.toLowerCase())) return undefined;
      const own = /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase();
      if (own !== host?.toLowerCase()) {
        const message = `expected a request of this server's own pages, got one of ${JSON.stringify(origin.slice(0, 200))}; --allow-origin names further ones`;
        return { status: 403, code: 'origin_refused', message, field: 'origin' };
      }
    }
    if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
    const message = `expected same-origin or none, got ${JSON.stringify(site.slice(0, 200))}: a page of another origin may ask nothing here`;
    return { status: 403, code: 'origin_refused', message, field: 'sec-fetch-site' };
  }

  /** HTTP/1.0 knows no `Host`, and no browser speaks it. */
  #isOwn(host: string | undefined, request: IncomingMessage): boolean {
    if (host === undefined) return request.httpVersion === '1.0';
    const localAddress = request.socket.localAddress ?? '';
    if (this.#verdicts.get(host) === localAddress) return true;
    const name = hostnameOf(host);
    const isOwn =
      name !== '' &&
      (isLoopback(name) ||
        this.#hosts.has(name) ||
        (isIP(name) !== 0 && (name === plainAddress(localAddress) || isOfThisMachine(name))));
    if (!isOwn) return false;
    if (this.#verdicts.size >= KEPT_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(host, localAddress);
    return true;
  }
}

function isOfThisMachine(address: string): boolean {
  return Object.values(networkInterfaces()).some((own) =>
    own?.some((one) => plainAddress(one.address) === address),
  );
}

/** Puts a guard before everything else of a server. `refuse` answers. */
export function guardBrowsers(
  app: FastifyInstance,
  guard: BrowserGuard,
  refuse: (reply: FastifyReply, refusal: Refusal) => FastifyReply,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const refusal = guard.refusalOf(request.raw);
    if (refusal === undefined) done();
    else void refuse(reply, refusal);
  });
}

/** The same for a port that operators ask, whose servers share nothing but this. */
export function guardAdmin(app: FastifyInstance, allowHosts: readonly string[]): void {
  guardBrowsers(app, new BrowserGuard({ allowHosts }), (reply, { status, code, message, field }) =>
    sendProblem(reply, { status, code, title: TITLES[code], detail: message, field }),
  );
}

const TITLES: Readonly<Record<Refusal['code'], string>> = {
  invalid_request: 'A header of the request is wrong',
  origin_refused: 'The request comes from a page of another origin',
  host_refused: 'The name in the header Host is not one of this server',
};
