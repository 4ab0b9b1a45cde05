import { isIPv4, isIPv6 } from 'node:net';

/**
 * Whether only this machine can reach a socket bound to it. A name other than `localhost` could resolve to anything.
 */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  if (isIPv4(host)) return host.startsWith('127.');
  return isIPv6(host) && /^(0*:)*:?0*1$/.test(host);
}
