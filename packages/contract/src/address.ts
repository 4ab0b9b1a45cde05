import { z } from 'zod';

/** How a url writes an address: IPv6 in brackets. */
export function urlHostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/**
 * Whether a url can name the address, and means the same by it. A url reads `1.2.3` and `0x7f.1` as IPv4 addresses that
 * they are not, refuses `web.1.`, and decodes `%41`.
 */
export function isDialable(address: string): boolean {
  const url = URL.parse(`http://${urlHostOf(address)}:1/`);
  if (url === null || url.port !== '1' || url.pathname !== '/') return false;
  return address.includes(':') || url.hostname === address.toLowerCase();
}

/** An address that callers can connect to: an IPv4 or IPv6 address, or a host name. */
export const Address = z
  .union([z.ipv4(), z.ipv6(), z.hostname().max(253)], {
    error: 'expected an IPv4 or IPv6 address or a host name',
  })
  .refine(isDialable, { error: 'expected an IPv4 or IPv6 address or a host name' })
  .meta({ id: 'Address' });
