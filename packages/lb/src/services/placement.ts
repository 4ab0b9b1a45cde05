import type { DeclaredService } from '@rollcall/client-sdk';

/** Where a service may be placed: addresses in order of preference, or the reason why there are none. */
export type Placement =
  | { readonly kind: 'candidates'; readonly addresses: readonly string[] }
  | { readonly kind: 'none'; readonly reason: string; readonly message: string };

/**
 * The addresses of the pool that a service may get: the one that it requests, else all of them, starting with those in
 * `preferred`, so that a service keeps its address.
 */
export function placementOf(
  declared: DeclaredService,
  pool: readonly string[],
  preferred: readonly string[],
): Placement {
  const { loadBalancerIP: wanted, ports } = declared;
  if (ports.every(({ protocol }) => protocol === 'SCTP')) {
    const message = 'it has no TCP or UDP port, and this balancer carries only those';
    return { kind: 'none', reason: 'ProtocolNotSupported', message };
  }
  if (wanted !== '' && !pool.includes(wanted)) {
    const message = `loadBalancerIP ${wanted} is not among the addresses of this balancer: ${pool.join(', ')}`;
    return { kind: 'none', reason: 'AddressNotInPool', message };
  }
  if (wanted !== '') return { kind: 'candidates', addresses: [wanted] };
  const known = preferred.filter((address) => pool.includes(address));
  return { kind: 'candidates', addresses: [...new Set([...known, ...pool])] };
}

/** Whether this balancer serves it: the class of a service names the balancer that must take it. */
export function isMeant(declared: DeclaredService, ownClass: string): boolean {
  return declared.type === 'LoadBalancer' && declared.loadBalancerClass === ownClass;
}
