import { z } from 'zod';
import { type FieldError, invalid, invalidEach } from '../meta/field-error.ts';
import { checkIp, isIpSloppily } from '../addresses/ip.ts';
import { checkSubdomain1123 } from '../meta/names.ts';
import { absent } from '../meta/object-meta.ts';

const PortStatus = z.strictObject({
  port: absent(z.int()),
  protocol: absent(z.string()),
  error: absent(z.string()),
});

/** An address at which a load balancer answers for an Ingress. */
export const IngressAddress = z.strictObject({
  ip: absent(z.string()),
  hostname: absent(z.string()),
  ports: absent(z.array(PortStatus)),
});
export type IngressAddress = z.output<typeof IngressAddress>;

/** Faults of addresses, in the words of the API server. `field`: that of the list. */
export function validateAddresses(
  field: string,
  addresses: readonly IngressAddress[],
): FieldError[] {
  return addresses.flatMap(({ ip = '', hostname = '' }, i) => [
    ...(ip === '' ? [] : invalidEach(`${field}[${i}].ip`, ip, checkIp)),
    ...(hostname === '' ? [] : hostnameFaults(`${field}[${i}].hostname`, hostname)),
  ]);
}

function hostnameFaults(field: string, hostname: string): FieldError[] {
  const faults = invalidEach(field, hostname, checkSubdomain1123);
  if (isIpSloppily(hostname))
    faults.push(invalid(field, hostname, 'must be a DNS name, not an IP address'));
  return faults;
}
