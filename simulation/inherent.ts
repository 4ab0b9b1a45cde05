import type { HistoryEvent, Violation } from '@rollcall/testkit';
import { LONGEST_LOSS_MS } from './faults.ts';
import type { Scenario } from './scenario.ts';

/** How long servers may take to notice that a failover lost writes, and to restore them, in ms. */
const RESTORE_MS = 1_500;

interface Window {
  readonly fault: string;
  readonly fromMs: number;
  readonly toMs: number;
}

type Lease = Extract<HistoryEvent, { kind: 'lease' }>;

/**
 * The violations that asynchronous replication makes unavoidable: those that docs/promises.md lists under "What cannot
 * be promised", and no others.
 *
 * While there are two primaries, watchers of the one and of the other may see different things under the same revision,
 * and an instance id may have a holder at each. A successor whose registration a failover lost has no place until it is
 * restored. After that, one of the two holders must be superseded. Revisions that both primaries issued cannot tell
 * which one, so the older lease may stay, if the other one ends.
 *
 * A store that lost its data does not know who has an id, until a server gives it back: a displaced process that comes
 * first gets it.
 *
 * An instance whose goodbye a failover lost may be shown again as unconfirmed, if no server remembers it: never as up.
 */
export function inherentIn(
  violations: readonly Violation[],
  { faults, ttlMs }: Scenario,
  events: readonly HistoryEvent[],
): ReadonlySet<Violation> {
  const windows = faults
    .filter(({ fault }) => fault === 'split' || fault === 'failOver')
    .map(({ fault, atMs, forMs }) => ({ fault, fromMs: atMs, toMs: atMs + forMs + RESTORE_MS }));
  const emptied = faults
    .filter(({ fault }) => fault === 'wipe' || fault === 'storeRestartedEmpty')
    .map(({ fault, atMs, forMs }) => {
      const fromMs = fault === 'wipe' ? atMs : atMs + forMs;
      return { fault, fromMs, toMs: fromMs + RESTORE_MS };
    });
  const splits = windows.filter(({ fault }) => fault === 'split');
  const leases = events.filter((one): one is Lease => one.kind === 'lease');
  return new Set(
    violations.filter((violation) => {
      if (violation.kind === 'pictures-differ') return isWithin(violation.atMs, splits);
      if (violation.kind === 'returned') return isDoubtedReturn(violation, windows);
      if (violation.kind !== 'stale-lease' && violation.kind !== 'displaced') return false;
      if (violation.kind === 'displaced' && isWithin(violation.atMs, emptied)) return true;
      if (isWithin(violation.atMs, windows)) return true;
      const successor = successorIn(violation);
      return splits.some(
        ({ fromMs, toMs }) =>
          successor.atMs > fromMs &&
          successor.atMs < toMs &&
          !leases.some((one) => isEffectOf(successor, one) && one.invokedMs > toMs + ttlMs),
      );
    }),
  );
}

const isWithin = (atMs: number, windows: readonly Window[]) =>
  windows.some(({ fromMs, toMs }) => atMs > fromMs && atMs < toMs);

function isDoubtedReturn({ evidence }: Violation, windows: readonly Window[]): boolean {
  const release = evidence[0] as Lease;
  const now = evidence.at(-1) as Extract<HistoryEvent, { kind: 'seen' }>;
  const shown = now.endpoints.find(({ instance }) => instance === release.instance);
  const losses = windows.map((one) => ({ ...one, fromMs: one.fromMs - LONGEST_LOSS_MS }));
  return shown?.tier !== 0 && isWithin(release.atMs, losses);
}

/** The grant that should have ended the other lease. */
function successorIn({ kind, evidence }: Violation): Lease {
  return evidence[kind === 'displaced' ? 0 : 1] as Lease;
}

function isEffectOf(grant: Lease, { instance, lease, what }: Lease): boolean {
  const hadEffect = what === 'granted' || what === 'renewed' || what === 'changed';
  return hadEffect && instance === grant.instance && lease === grant.lease;
}
