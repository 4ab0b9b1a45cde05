import type { Endpoint } from '@rollcall/contract';

/** The conditions of an endpoint that matter here. */
export type Conditions = Pick<Endpoint, 'tier' | 'terminating' | 'serving'>;

/**
 * Selects the targets that may take a call, by the same rule for the client, the balancer and the proxy: those with a
 * tier that are not terminating; when none is left, those that terminate but still serve, as in Kubernetes since
 * KEP-1669. Health and ejection are checked afterwards; the picker handles the tiers.
 */
export function usable<T extends { readonly endpoint: Conditions }>(targets: Iterable<T>): T[] {
  const all = [...targets];
  const ready = all.filter(({ endpoint: { tier, terminating } }) => tier !== null && !terminating);
  if (ready.length > 0) return ready;
  return all.filter(({ endpoint: { serving, terminating } }) => terminating && serving);
}
