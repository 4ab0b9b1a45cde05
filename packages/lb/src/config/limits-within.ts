import { descriptorShare } from '@rollcall/runtime';
import type { FrontConfig } from './schema.ts';

/** Planes that share the file descriptors: HTTP, and TCP and UDP of services. */
export const PLANES = 3;

/** The limits of a configuration, as far as the files that the process may open allow them. */
export function limitsWithin(
  { limits, loadBalancerServices }: Pick<FrontConfig, 'limits' | 'loadBalancerServices'>,
  descriptors: number,
): FrontConfig['limits'] {
  // A client's connection needs a second one to its target; services of type LoadBalancer need their share too.
  const share = descriptorShare(descriptors, loadBalancerServices === undefined ? 1 : PLANES);
  const clientConnections = Math.min(limits.clientConnections, Math.floor(share / 2));
  // Clients that do not complete their handshake must leave room for others.
  const handshakes = Math.min(limits.handshakes, Math.ceil(clientConnections / 2));
  return { ...limits, clientConnections, handshakes };
}
