import { z } from 'zod';
import { type FieldError, forbidden, notSupported } from '../meta/field-error.ts';
import { absent } from '../meta/object-meta.ts';
import { IngressAddress, validateAddresses } from './load-balancer-status.ts';

/** `VIP`: packets arrive with the address as their destination. `Proxy`: the balancer makes a connection of its own. */
const IP_MODES = ['VIP', 'Proxy'];

const ServiceAddress = IngressAddress.extend({ ipMode: absent(z.string()) });

const Condition = z.strictObject({
  type: absent(z.string()),
  status: absent(z.string()),
  observedGeneration: absent(z.int()),
  lastTransitionTime: absent(z.string()),
  reason: absent(z.string()),
  message: absent(z.string()),
});

export const ServiceStatus = z.strictObject({
  conditions: absent(z.array(Condition)),
  loadBalancer: absent(z.strictObject({ ingress: absent(z.array(ServiceAddress)) })),
});
export type ServiceStatus = z.output<typeof ServiceStatus>;

const FIELD = 'status.loadBalancer.ingress';

/** An IP address without a mode gets the mode `VIP`. */
export function defaultServiceStatus(status: ServiceStatus): ServiceStatus {
  const ingress = status.loadBalancer?.ingress;
  if (ingress === undefined) return status;
  const withMode = ingress.map(({ ip, ipMode, ...one }) => ({
    ...(ip === undefined ? {} : { ip, ipMode: ipMode ?? 'VIP' }),
    ...(ip === undefined && ipMode !== undefined ? { ipMode } : {}),
    ...one,
  }));
  return { ...status, loadBalancer: { ingress: withMode } };
}

/** Every fault of the status of a service that has its defaults, in the words of the API server. */
export function validateServiceStatus({
  spec = {},
  status = {},
}: {
  readonly spec?: { readonly type?: string | undefined } | undefined;
  readonly status?: ServiceStatus | undefined;
}): FieldError[] {
  const addresses = status.loadBalancer?.ingress ?? [];
  if (spec.type !== 'LoadBalancer' && addresses.length > 0)
    return [forbidden(FIELD, "may only be used when `spec.type` is 'LoadBalancer'")];
  const ofModes = addresses.flatMap(({ ip = '', ipMode }, i) => {
    if (ipMode === undefined) return [];
    const field = `${FIELD}[${i}].ipMode`;
    if (ip === '') return [forbidden(field, 'may not be specified when `ip` is not set')];
    return IP_MODES.includes(ipMode) ? [] : [notSupported(field, ipMode, IP_MODES)];
  });
  return [...validateAddresses(FIELD, addresses), ...ofModes];
}
