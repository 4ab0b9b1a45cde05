import { isIP } from 'node:net';

/** The host name without its port, in lower case, without brackets or the final dot. */
export function hostnameOf(authority: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return (bracketed ?? plain).toLowerCase().replace(/\.$/, '');
}

/** Converts an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) to IPv4. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

/** Whether a text is allowed in a list of hosts: a name, `*.suffix`, an IP address, or `*` for every host. */
export function isHostPattern(text: string): boolean {
  if (text === '*' || isIP(text) !== 0) return true;
  return /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(
    text,
  );
}

/** Hosts by name, address or `*.suffix`. */
export class HostPatterns {
  readonly #exact = new Set<string>();
  readonly #suffixes: string[] = [];
  readonly #isEvery: boolean;

  constructor(patterns: readonly string[]) {
    this.#isEvery = patterns.includes('*');
    for (const pattern of patterns) {
      if (pattern.startsWith('*.')) this.#suffixes.push(hostnameOf(pattern).slice(1));
      else this.#exact.add(isIP(pattern) === 0 ? hostnameOf(pattern) : plainAddress(pattern));
    }
  }

  matches(hostname: string): boolean {
    if (this.#isEvery || this.#exact.has(hostname)) return true;
    return this.#suffixes.some((suffix) => hostname.endsWith(suffix));
  }
}

/** Whether a name or address means the machine itself on every resolver (RFC 6761, section 6.3). */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '::1')
    return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
