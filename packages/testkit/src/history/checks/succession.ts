import type { LeaseHappening } from '../facts/history-event.ts';
import { covers } from '../facts/span.ts';
import type { InstanceTruth } from '../facts/truth.ts';
import type { Check, Violation } from './check.ts';

const EFFECTS: readonly LeaseHappening['what'][] = ['renewed', 'changed', 'released'];

/** Finds processes that lost their place but could still change something in it. */
export const checkSuccession: Check = ({ truth }) =>
  [...truth.instances.values()].flatMap((own) => [...staleEffects(own), ...displaced(own)]);

function staleEffects({ instance, leases }: InstanceTruth): Violation[] {
  const grants = leases.filter(({ what }) => what === 'granted');
  return leases.flatMap((call) => {
    if (!EFFECTS.includes(call.what)) return [];
    const since = grants.findLast(({ lease, atMs }) => lease === call.lease && atMs <= call.atMs);
    if (since === undefined) return [];
    const successor = grants.find(
      (one) => one.lease !== call.lease && one.atMs > since.atMs && one.atMs < call.invokedMs,
    );
    if (successor === undefined) return [];
    const message = `a lease of ${instance} was ${call.what} after another had been granted`;
    return [
      {
        promise: 'G6',
        kind: 'stale-lease',
        atMs: call.atMs,
        message,
        evidence: [since, successor, call],
      },
    ];
  });
}

/** Finds former processes that came back and took the place from a successor with a valid lease. */
function displaced({ instance, leases, leased }: InstanceTruth): Violation[] {
  const grants = leases.filter(({ what }) => what === 'granted');
  return grants.flatMap((grant, i) => {
    const successor = grants[i - 1];
    if (successor === undefined || successor.nonce === grant.nonce) return [];
    const wasFormer = grants.slice(0, i - 1).some(({ nonce }) => nonce === grant.nonce);
    const stretch = { fromMs: grant.invokedMs - 1, toMs: grant.invokedMs };
    if (!wasFormer || !covers(leased, stretch)) return [];
    const message = `the former process took the place of ${instance} from its successor`;
    return [
      { promise: 'G6', kind: 'displaced', atMs: grant.atMs, message, evidence: [successor, grant] },
    ];
  });
}
