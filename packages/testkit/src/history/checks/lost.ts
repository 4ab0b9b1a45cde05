import type { HistoryEvent, Seen } from '../facts/history-event.ts';
import { covers, spanAt } from '../facts/span.ts';
import { entitledBy, faultsOf, type Truth } from '../facts/truth.ts';
import { type Check, namesIn, only, pictures, type Run, type Violation } from './check.ts';

/** Finds pictures that lost an instance which had to be in them, by G1 or by G5. */
export const checkLost: Check = (run) => pictures(run.events).flatMap((seen) => lost(seen, run));

function lost(seen: readonly Seen[], { truth, limits }: Run): Violation[] {
  return seen.flatMap((now, i) => {
    const before = seen[i - 1];
    if (before === undefined) return [];
    const here = namesIn(now);
    const gone = [...namesIn(before)].filter((instance) => !here.has(instance));
    return gone.flatMap((instance) => {
      const own = truth.instances.get(instance);
      if (own === undefined) return [];
      const stretch = { fromMs: learntSince(now, truth, limits.lagMs), toMs: now.atMs };
      const promise = entitledBy(own, stretch);
      if (promise === undefined) return [];
      const message = `${now.watcher} lost ${instance}, which was on the roll and running`;
      return [
        {
          promise,
          kind: 'lost',
          atMs: now.atMs,
          message,
          evidence: [...lastLease(own), before, now],
        },
      ];
    });
  });
}

/**
 * Start of the time that a picture may reflect: a watcher that was cut off may show what happened before it was back.
 */
function learntSince({ atMs, watcher }: Seen, truth: Truth, lagMs: number): number {
  const recent = { fromMs: atMs - lagMs, toMs: atMs };
  const cuts = faultsOf(truth, [watcher], recent);
  return Math.min(recent.fromMs, ...cuts.map(({ fromMs }) => fromMs - lagMs));
}

function lastLease({ leases }: { readonly leases: readonly HistoryEvent[] }): HistoryEvent[] {
  const last = leases.at(-1);
  return last === undefined ? [] : [last];
}

/** Finds leases that the store no longer knew although they were valid. */
export const checkForgotten: Check = ({ events, truth, limits }) =>
  only(events, 'lease').flatMap((call) => {
    const { instance, what, invokedMs, atMs } = call;
    const own = truth.instances.get(instance);
    if (what !== 'unknown' || own === undefined) return [];
    const stood = spanAt(own.leased, invokedMs);
    if (stood === undefined || !covers(own.leased, { fromMs: invokedMs, toMs: atMs })) return [];
    const isOfIt = own.leases.some((one) => one.lease === call.lease && one.atMs <= invokedMs);
    const recent = { fromMs: invokedMs - limits.ttlMs - limits.slackMs, toMs: atMs };
    if (!isOfIt || faultsOf(truth, ['store', 'registry'], recent).length > 0) return [];
    const latest = own.leases.findLast((one) => one.what === 'granted' && one.atMs <= invokedMs);
    if (latest?.lease !== call.lease) return [];
    const message = `the lease of ${instance} was forgotten although it stood`;
    return [{ promise: 'G1', kind: 'forgotten', atMs, message, evidence: [latest, call] }];
  });

/** Finds first pictures that are empty although instances had been there for long. */
export const checkEmptied: Check = ({ events, truth, limits }) =>
  pictures(events).flatMap(([first]) => {
    if (first === undefined || first.endpoints.length > 0) return [];
    const stretch = { fromMs: first.atMs - limits.lagMs, toMs: first.atMs };
    const there = [...truth.instances.values()].filter(
      (own) => own.service === first.service && entitledBy(own, stretch) !== undefined,
    );
    if (there.length === 0) return [];
    const names = there.map(({ instance }) => instance).join(', ');
    const message = `${first.watcher} was shown nobody while ${names} were there`;
    return [{ promise: 'G5', kind: 'emptied', atMs: first.atMs, message, evidence: [first] }];
  });

/** Finds pictures with a deregistered instance, in a watcher that had seen it leave, or that is new. */
export const checkReturned: Check = (run) =>
  pictures(run.events).flatMap((seen) => returned(seen, run));

function returned(seen: readonly Seen[], { truth, limits }: Run): Violation[] {
  return seen.flatMap((now, i) => {
    const before = seen[i - 1];
    const known = namesIn(before);
    const fresh = [...namesIn(now)].filter((instance) => !known.has(instance));
    return fresh.flatMap((instance) => {
      const leases = truth.instances.get(instance)?.leases ?? [];
      const release = leases.findLast(({ what, atMs }) => what === 'released' && atMs < now.atMs);
      if (release === undefined) return [];
      const isBack = leases.some(
        (one) => one.what === 'granted' && one.atMs > release.invokedMs && one.invokedMs < now.atMs,
      );
      const hadSeen = seen.slice(0, i).some((one) => namesIn(one).has(instance));
      if (isBack || (!hadSeen && isFresh(now, release.atMs, { truth, limits }))) return [];
      const message = `${instance} had deregistered and was shown to ${now.watcher} again`;
      const evidence = [release, ...(before === undefined ? [] : [before]), now];
      return [
        { promise: 'G5' as const, kind: 'returned' as const, atMs: now.atMs, message, evidence },
      ];
    });
  });
}

/** Whether a server may not have learned of the release yet. */
function isFresh(
  { atMs }: Seen,
  releasedMs: number,
  { truth, limits }: Pick<Run, 'truth' | 'limits'>,
): boolean {
  const stretch = { fromMs: releasedMs, toMs: releasedMs + limits.lagMs };
  const faults = faultsOf(truth, ['store', 'registry'], stretch);
  return atMs <= Math.max(stretch.toMs, ...faults.map(({ toMs }) => toMs + limits.lagMs));
}
