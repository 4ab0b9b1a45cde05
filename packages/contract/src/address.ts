import { z } from 'zod';

/** How a url writes an address: IPv6 in brackets. */
export function urlHostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** An IPv4 address in its one spelling: what most addresses are. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Whether a url can name the address, and means the same by it. A url reads `1.2.3` and `0x7f.1` as IPv4 addresses that
 * they are not, refuses `web.1.`, and decodes `%41`.
 */
export function isDialable(address: string): boolean {
  if (IPV4.test(address)) return true;
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
