import { serviceHostOf, type ServiceHost } from '../base/service-host.ts';

/** A service that may have been closed since it was found. */
interface Closable {
  readonly isClosed: boolean;
}

/** Maximum number of remembered origins; a program that uses more pays for parsing them again. */
const MAX_REMEMBERED = 1_000;

/** The services that host names mean. An origin is parsed once: after that a call costs one map lookup. */
export class ServiceHosts<S extends Closable> {
  readonly #suffix: string;
  readonly #open: (host: ServiceHost) => S;
  readonly #known = new Map<string, S>();

  constructor(suffix: string, open: (host: ServiceHost) => S) {
    this.#suffix = suffix;
    this.#open = open;
  }

  /**
   * The service whose host an origin or a url names; undefined for every other host. Throws a
   * {@link import('../base/error.ts').RollcallError} `invalid_host` for a host below the suffix that is no service name.
   */
  at(url: string): S | undefined {
    return this.#remembered(url) ?? this.#atOrigin(url);
  }

  #atOrigin(url: string): S | undefined {
    // The case of a host does not matter, but nearly all are in lower case: the quick look comes first.
    const suffix = this.#suffix;
    if (!url.includes(suffix) && !url.toLowerCase().includes(suffix)) return undefined;
    const origin = url.slice(0, endOfOrigin(url));
    return this.#remembered(origin) ?? this.#find(origin);
  }

  #remembered(origin: string): S | undefined {
    const known = this.#known.get(origin);
    return known?.isClosed === true ? undefined : known;
  }

  #find(origin: string): S | undefined {
    const host = serviceHostOf(origin, this.#suffix);
    if (host === undefined) return undefined;
    const service = this.#open(host);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(origin, service);
    return service;
  }
}

/**
 * Where the path, query or fragment of a url begins. A look at each character takes a fraction of the time of a regular
 * expression, and this happens for each call.
 */
function endOfOrigin(url: string): number {
  const scheme = url.indexOf('://');
  if (scheme === -1) return url.length;
  let at = scheme + '://'.length;
  while (at < url.length && !isEndOfOrigin(url.charCodeAt(at))) at++;
  return at;
}

const ENDS = Array.from('/?#\\', (end) => end.charCodeAt(0));

const isEndOfOrigin = (code: number): boolean => ENDS.includes(code);
