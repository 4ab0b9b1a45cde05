import { z } from 'zod';
import { flag, label, object, text } from './fields.ts';

const IP = z.union([z.ipv4(), z.ipv6()]);
const HOST_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const IngressRouting = object({
  /** Name of the listener that gets the rules, or a list of names. */
  listener: z
    .union([label('a listener'), z.array(label('a listener')).min(1)], {
      error: 'expected the name of a listener, or a list of them',
    })
    .transform((names) => (typeof names === 'string' ? [names] : names)),
  /**
   * Routes by those with this `ingressClassName` only. @default `rollcall`, and each class whose IngressClass names the
   * controller
   */
  class: text('a class').optional(),
  /**
   * Routes by the classes whose IngressClass names this controller. One that names another controller takes its class
   * away from this balancer. @default rollcall.dev/ingress
   */
  controller: text('a controller').default('rollcall.dev/ingress'),
  /** Also by those without a class. @default true */
  isDefault: flag.default(true),
  /** Routes by HTTPRoutes that name this gateway in `parentRefs`. @default rollcall */
  gateway: text('the name of a gateway').default('rollcall'),
  /** Routes by those of one namespace; `*`: of all. @default * */
  namespace: z
    .union([z.literal('*'), label('a namespace')], { error: 'expected a namespace or *' })
    .default('*'),
  /**
   * IP addresses or host names that callers reach the listeners at: `rollcall get ingress` shows them as ADDRESS.
   * @default those of the listeners; for one on all addresses, the address that the registry sees
   */
  addresses: z
    .array(
      text('an address').refine(isReachable, {
        error: 'expected an IP address that callers can use, or a host name',
      }),
      { error: 'expected a list of addresses' },
    )
    .min(1, { error: 'expected at least one address' })
    .optional(),
});

function isReachable(address: string): boolean {
  if (IP.safeParse(address).success) return !/^(0\.0\.0\.0|::)$/.test(address);
  const isName = address.length <= 253 && !/^[\d.]+$/.test(address);
  return isName && address.split('.').every((one) => HOST_LABEL.test(one));
}

export type IngressConfig = z.output<typeof IngressRouting>;
