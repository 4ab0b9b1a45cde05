import { namesIn, pictures, type Run } from './checks/check.ts';
import type { Seen } from './facts/history-event.ts';
import type { InstanceTruth } from './facts/truth.ts';

/**
 * Longest time in which a picture still used a dead instance, or did not yet use one that
 * had been granted a place, in ms.
 */
export function longestStaleMs(run: Run): number {
  let longest = 0;
  for (const seen of pictures(run.events)) {
    for (const own of run.truth.instances.values()) {
      if (own.service !== seen[0]?.service) continue;
      longest = Math.max(longest, ...deadInUseMs(seen, own, run), ...notYetThereMs(seen, own, run));
    }
  }
  return longest;
}

function deadInUseMs(seen: readonly Seen[], own: InstanceTruth, { truth, limits }: Run): number[] {
  const endings = own.endings.filter((ending) => ending.fromMs > limits.fromMs);
  return endings.map(({ fromMs, toMs }) => {
    const at = seen.findLast(({ atMs }) => atMs <= fromMs);
    if (!namesIn(at, 0).has(own.instance)) return 0;
    const learnt = seen.find(
      ({ atMs, ...one }) => atMs > fromMs && !isInUse({ ...one, atMs }, own),
    );
    return Math.min(learnt?.atMs ?? truth.untilMs, toMs, truth.untilMs) - fromMs;
  });
}

function notYetThereMs(seen: readonly Seen[], own: InstanceTruth, { limits }: Run): number[] {
  const { instance, leases, endings } = own;
  return leases.flatMap(({ what, atMs: grantedMs }) => {
    const sinceMs = seen[0]?.atMs ?? Infinity;
    if (what !== 'granted' || grantedMs < Math.max(sinceMs, limits.fromMs)) return [];
    const there = seen.findLast(({ atMs }) => atMs <= grantedMs);
    if (namesIn(there).has(instance)) return [];
    const learnt = seen.find((one) => one.atMs > grantedMs && namesIn(one).has(instance));
    const endedMs = endings.find(({ fromMs }) => fromMs >= grantedMs)?.fromMs ?? Infinity;
    return learnt === undefined || learnt.atMs > endedMs ? [] : [learnt.atMs - grantedMs];
  });
}

function isInUse(seen: Seen, { instance }: InstanceTruth): boolean {
  return namesIn(seen, 0).has(instance);
}
