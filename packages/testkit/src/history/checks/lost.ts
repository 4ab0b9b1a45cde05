import type { Happening, Seen } from '../facts/happening.ts';
import { covers, spanAt } from '../facts/span.ts';
import { entitledBy, faultsOf, type Truth } from '../facts/truth.ts';
import { type Check, namesIn, only, pictures, type Run, type Violation } from './check.ts';

/** A picture that lost an instance which had to be in it, by G1 or by G5. */
export const checkLost: Check = (run) =>
  pictures(run.happenings).flatMap((seen) => lost(seen, run));

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
      return [{ promise, atMs: now.atMs, message, evidence: [...lastLease(own), before, now] }];
    });
  });
}

/** A watcher that was cut off tells of what happened before it was back. */
function learntSince({ atMs, watcher }: Seen, truth: Truth, lagMs: number): number {
  const recent = { fromMs: atMs - lagMs, toMs: atMs };
  const cuts = faultsOf(truth, [watcher], recent);
  return Math.min(recent.fromMs, ...cuts.map(({ fromMs }) => fromMs - lagMs));
}

function lastLease({ leases }: { readonly leases: readonly Happening[] }): Happening[] {
  const last = leases.at(-1);
  return last === undefined ? [] : [last];
}

/** The store no longer knew a lease that stood. */
export const checkForgotten: Check = ({ happenings, truth, limits }) =>
  only(happenings, 'lease').flatMap((call) => {
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
    return [{ promise: 'G1', atMs, message, evidence: [latest, call] }];
  });

/** A first picture that is empty although instances had long been there. */
export const checkEmptied: Check = ({ happenings, truth, limits }) =>
  pictures(happenings).flatMap(([first]) => {
    if (first === undefined || first.endpoints.length > 0) return [];
    const stretch = { fromMs: first.atMs - limits.lagMs, toMs: first.atMs };
    const there = [...truth.instances.values()].filter(
      (own) => own.service === first.service && entitledBy(own, stretch) !== undefined,
    );
    if (there.length === 0) return [];
    const names = there.map(({ instance }) => instance).join(', ');
    const message = `${first.watcher} was shown nobody while ${names} were there`;
    return [{ promise: 'G5', atMs: first.atMs, message, evidence: [first] }];
  });

/** A picture with an instance that had deregistered, in a watcher that had seen it go, or that is new. */
export const checkReturned: Check = (run) =>
  pictures(run.happenings).flatMap((seen) => returned(seen, run));

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
      return [{ promise: 'G5' as const, atMs: now.atMs, message, evidence }];
    });
  });
}

/** Whether a server may not have heard of the release yet. */
function isFresh(
  { atMs }: Seen,
  releasedMs: number,
  { truth, limits }: Pick<Run, 'truth' | 'limits'>,
): boolean {
  const stretch = { fromMs: releasedMs, toMs: releasedMs + limits.lagMs };
  const faults = faultsOf(truth, ['store', 'registry'], stretch);
  return atMs <= Math.max(stretch.toMs, ...faults.map(({ toMs }) => toMs + limits.lagMs));
}
