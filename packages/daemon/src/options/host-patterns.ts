import { isIP } from 'node:net';

/** A name without its port, in lower case, without brackets or the dot at its end. */
export function hostnameOf(authority: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return (bracketed ?? plain).toLowerCase().replace(/\.$/, '');
}

/** An IPv4 address that came as IPv6 (`::ffff:10.0.0.1`), as IPv4. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

/** Whether a text can stand in a list of hosts: a name, `*.suffix`, an IP address, or `*` for every host. */
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

  has(hostname: string): boolean {
    if (this.#isEvery || this.#exact.has(hostname)) return true;
    return this.#suffixes.some((suffix) => hostname.endsWith(suffix));
  }
}

/** Names and addresses that mean the machine itself, whoever resolves them (RFC 6761, section 6.3). */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '::1')
    return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
