import { z } from 'zod';

/** The form of an address in a URL: IPv6 in brackets. */
export function urlHostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** An IPv4 address in its only valid form. Checked first, since most addresses are IPv4. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Whether a URL can contain the address and gives it the same meaning. URLs read `1.2.3` and `0x7f.1` as IPv4
 * addresses, refuse `web.1.`, and decode `%41`.
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
