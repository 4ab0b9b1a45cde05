import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { hostnameOf, HostPatterns, isLoopback, plainAddress } from './options/host-patterns.ts';
import { sendProblem } from './problem.ts';
import type { Refusal } from './refusal.ts';

/** How many verdicts on `Host` are kept. Bounded, since an attacker may send a new one with each request. */
const KEPT_VERDICTS = 1_000;

export interface BrowserGuardOptions {
  /** Hosts besides the machine's own: names, `*.suffix`, IP addresses, or `*` for every host. @default none */
  readonly allowHosts?: readonly string[];
  /** Origins of pages that are allowed, such as `https://console.example.org`. @default only the server's own */
  readonly allowOrigins?: readonly string[];
  /** Whether an `Authorization` header has a known token: its sender is no foreign web page. @default never */
  readonly isTrusted?: (authorization: string | undefined) => boolean;
}

/**
 * Refuses requests from foreign web pages. Any page in a browser on the machine can send requests to the loopback
 * address; after DNS rebinding it can also read the answers. Browsers send the origin of a request in `Origin` and
 * `Sec-Fetch-Site` (Fetch Metadata Request Headers), and the name they connected to in `Host`.
 */
export class BrowserGuard {
  #hosts: HostPatterns;
  readonly #origins: ReadonlySet<string>;
  readonly #isTrusted: (authorization: string | undefined) => boolean;
  /** `Host` -> the local address for which it was accepted; looked up for each request. */
  readonly #verdicts = new Map<string, string>();

  constructor({ allowHosts = [], allowOrigins = [], isTrusted }: BrowserGuardOptions = {}) {
    this.#hosts = hostsOf(allowHosts);
    this.#origins = new Set(allowOrigins.map((origin) => origin.toLowerCase()));
    this.#isTrusted = isTrusted ?? (() => false);
  }

  /** From now on these hosts are allowed, besides the machine's own. */
  setAllowHosts(allowHosts: readonly string[]): void {
    this.#hosts = hostsOf(allowHosts);
    this.#verdicts.clear();
  }

  /** Why a request is refused; undefined = accepted. Reads only its head. */
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
    const message = `expected an address of this server, a loopback name or an allowed host, got ${JSON.stringify(host.slice(0, 200))}; --allow-host allows more`;
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
        const message = `expected a request of this server's own pages, got one of ${JSON.stringify(origin.slice(0, 200))}; --allow-origin allows more`;
        return { status: 403, code: 'origin_refused', message, field: 'origin' };
      }
    }
    if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
    const message = `expected same-origin or none, got ${JSON.stringify(site.slice(0, 200))}: a page of another origin may not send requests here`;
    return { status: 403, code: 'origin_refused', message, field: 'sec-fetch-site' };
  }

  /** HTTP/1.0 has no `Host`, and no browser uses it. */
  #isOwn(host: string | undefined, request: IncomingMessage): boolean {
    if (host === undefined) return request.httpVersion === '1.0';
    const localAddress = request.socket.localAddress ?? '';
    if (this.#verdicts.get(host) === localAddress) return true;
    const name = hostnameOf(host);
    const isOwn =
      name !== '' &&
      (isLoopback(name) ||
        this.#hosts.matches(name) ||
        (isIP(name) !== 0 && (name === plainAddress(localAddress) || isOfThisMachine(name))));
    if (!isOwn) return false;
    if (this.#verdicts.size >= KEPT_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(host, localAddress);
    return true;
  }
}

function hostsOf(allowed: readonly string[]): HostPatterns {
  return new HostPatterns([hostname(), ...allowed]);
}

function isOfThisMachine(address: string): boolean {
  return Object.values(networkInterfaces()).some((own) =>
    own?.some((one) => plainAddress(one.address) === address),
  );
}

/** Runs a guard before everything else of a server. `refuse` sends the answer. */
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

/** Guards an admin port. Its servers have nothing else in common. */
export function guardAdmin(app: FastifyInstance, guard: BrowserGuard): void {
  guardBrowsers(app, guard, (reply, { status, code, message, field }) =>
    sendProblem(reply, { status, code, title: TITLES[code], detail: message, field }),
  );
}

const TITLES: Readonly<Record<Refusal['code'], string>> = {
  invalid_request: 'A header of the request is wrong',
  origin_refused: 'The request comes from a page of another origin',
  host_refused: 'The host name in the header Host is not allowed',
};
