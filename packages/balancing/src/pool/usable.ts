import type { Endpoint } from '@rollcall/contract';

/** What is looked at of an endpoint. */
export type Conditions = Pick<Endpoint, 'tier' | 'terminating' | 'serving'>;

/**
 * Who may take a call, the same for the client, the balancer and the proxy: those with a tier that do not terminate; when
 * none is left, those that terminate and still serve, as Kubernetes has it since KEP-1669. Health and ejection are looked
 * at afterwards, the tiers by the picker.
 */
export function usable<T extends { readonly endpoint: Conditions }>(targets: Iterable<T>): T[] {
  const all = [...targets];
  const ready = all.filter(({ endpoint: { tier, terminating } }) => tier !== null && !terminating);
  if (ready.length > 0) return ready;
  return all.filter(({ endpoint: { serving, terminating } }) => terminating && serving);
}
