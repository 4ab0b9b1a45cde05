import type { Endpoint } from '@rollcall/contract';
import { urlHostOf } from '@rollcall/contract';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import { takenOver } from '../undici/taken-over.ts';
import { takesDispatcher, undiciFetch } from './undici-fetch.ts';
import { FetchDispatcher } from './fetch-dispatcher.ts';
import { type FetchTerms, settleTerms } from './fetch-terms.ts';
import { initOf, initOfRequest, isRequest, isStatic } from './web-input.ts';

/** The service that the fetch calls. */
export interface FetchedService {
  readonly name: string;
  readonly namespace: string;
  readonly scheme: 'http' | 'https';
  /** Last part of the host names of services. */
  readonly hostSuffix: string;
  /** Whether the namespace is the client's own, which short host names without a namespace refer to. */
  readonly isDefaultNamespace: boolean;
  readonly dispatcher: Dispatcher;
  endpoints(): readonly Endpoint[];
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
  /** The dispatcher of another service when the host names one; undefined for any other host. */
  readonly reach: (origin: string) => Dispatcher | undefined;
}

/** The Fetch API for a service, through this process's own fetch: takes its objects and returns its `Response`. */
export class ServiceFetch {
  readonly #service: FetchedService;
  readonly #origin: string;
  /** One dispatcher for bodies that can be buffered, one for all others. */
  readonly #keeping: FetchDispatcher;
  readonly #passing: FetchDispatcher;
  /** Host names of the service. */
  readonly #hosts: ReadonlySet<string>;
  /** How most urls of the service begin: with scheme, host and a slash. */
  readonly #beginnings: readonly string[];

  constructor(service: FetchedService) {
    const { name, namespace, scheme, hostSuffix, isDefaultNamespace } = service;
    this.#service = service;
    const whole = `${name}.${namespace}.${hostSuffix}`;
    this.#origin = `${scheme}://${whole}`;
    const short = isDefaultNamespace ? [name, `${name}.${hostSuffix}`] : [];
    this.#keeping = this.#dispatcher(true);
    this.#passing = this.#dispatcher(false);
    this.#hosts = new Set([whole, `${name}.${namespace}`, ...short]);
    this.#beginnings = [...this.#hosts].map((host) => `${scheme}://${host}/`).toReversed();
  }

  /** Throws what speaks against the request itself. */
  fetch(
    input: string | URL | Request,
    init: RequestInit = {},
    terms?: FetchTerms,
  ): Promise<Response> {
    const isObject = isRequest(input);
    const url = this.#urlOf(isObject ? input.url : String(input));
    const isForeign = isObject && !(takesDispatcher && input instanceof Request);
    const own = isForeign ? { ...initOfRequest(input), ...initOf(init) } : initOf(init);
    // A Request keeps its URL, so a copy with the service's own URL is needed.
    const target = isObject && !isForeign ? new Request(url, input) : url;
    const usual = isStatic(own.body) ? this.#keeping : this.#passing;
    const dispatcher = terms === undefined ? usual : this.#dispatcher(isStatic(own.body), terms);
    const options = { ...own, dispatcher: dispatcher as object } as RequestInit;
    if (takesDispatcher) return globalThis.fetch(target, options);
    return undiciFetch().then((fetch) => fetch(target, options));
  }

  #dispatcher(isBodyStatic: boolean, terms?: FetchTerms): FetchDispatcher {
    const { namespace, name, dispatcher, reach, nowMs } = this.#service;
    const settle = terms === undefined ? takenOver : settleTerms(terms, nowMs);
    return new FetchDispatcher({
      settle,
      origin: this.#origin,
      label: `${namespace}/${name}`,
      service: dispatcher,
      isStatic: isBodyStatic,
      isInstance: (origin) => this.#isInstance(origin),
      reach,
    });
  }

  /** Throws a {@link RollcallError} `invalid_host` for a URL of another host. */
  #urlOf(given: string): string {
    if (/^\/(?!\/)/.test(given)) return this.#origin + given;
    // Fetch parses what comes of it: mostly once is enough.
    for (const beginning of this.#beginnings)
      if (given.startsWith(beginning)) return this.#origin + given.slice(beginning.length - 1);
    const { scheme } = this.#service;
    const url = URL.parse(given, this.#origin);
    if (url?.protocol === `${scheme}:` && this.#hosts.has(url.hostname)) {
      const { pathname, search, hash } = url;
      return this.#origin + pathname + search + hash;
    }
    throw new RollcallError(
      'invalid_host',
      `fetch of service ${this.#service.name} got a url of another host${url === null ? '' : `, ${url.origin}`}: expected a path, or a url of ${this.#origin}`,
    );
  }

  #isInstance(origin: string): boolean {
    const { scheme } = this.#service;
    return this.#service
      .endpoints()
      .some(
        ({ address, port }) => origin === originOf(`${scheme}://${urlHostOf(address)}:${port}`),
      );
  }
}

const originOf = (url: string): string | undefined => URL.parse(url)?.origin;
