import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { integer, ms, object, text } from './fields.ts';

const ip = z.union([z.ipv4(), z.ipv6()], {
  error: 'expected an IP address; for a name there is dns',
});
const targetPort = integer(1, 65_535, 'a port');
const weight = integer(0, 65_535, 'a weight');

export const WrittenTarget = object({
  /** IP address. */
  address: ip,
  port: targetPort,
  /** Zone, for `preferZone` and zonal shifts. @default none */
  zone: text('the name of a zone').optional(),
  /** Share of the requests in relation to the others; 0: none while another has weight. @default 100 */
  weight: weight.default(100),
});

export const NamedTargets = object({
  /** Name whose A and AAAA records are the addresses of the targets. */
  name: text('a host name')
    .max(253, { error: 'expected a host name' })
    .regex(/^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*\.?$/i, {
      error: 'expected a host name',
    }),
  port: targetPort,
  /** Time between two questions; the TTL of answers does not matter. @default 10000 */
  everyMs: ms(100).default(10_000),
  /** Servers that are asked, such as 10.0.0.2 or 127.0.0.1:8600. @default those of the system, of /etc/resolv.conf */
  servers: z
    .array(
      z.string({ error: 'expected an address' }).refine(isServer, {
        error: 'expected an IP address, possibly with a port',
      }),
      { error: 'expected a list of addresses' },
    )
    .min(1, { error: 'expected at least one address' })
    .optional(),
  /** Zone of all of them. @default none */
  zone: text('the name of a zone').optional(),
  /** Weight of each. @default 100 */
  weight: weight.default(100),
});

export type NamedTargetsConfig = z.output<typeof NamedTargets>;

const LAST_PORT = 65_535;

/** `10.0.0.2`, `10.0.0.2:53`, `::1` or `[::1]:53`. */
function isServer(server: string): boolean {
  if (isIP(server) !== 0) return true;
  const [, v6, v4, digits = ''] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(server) ?? [];
  const isAddress = (v6 !== undefined && isIPv6(v6)) || (v4 !== undefined && isIPv4(v4));
  return isAddress && Number(digits) >= 1 && Number(digits) <= LAST_PORT;
}
