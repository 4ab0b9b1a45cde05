import type { Seen } from '../facts/history-event.ts';
import { overlaps, type Span } from '../facts/span.ts';
import type { Fault, InstanceTruth, Truth } from '../facts/truth.ts';
import { type Check, namesIn, pictures, type Run, type Violation } from './check.ts';

/** The time after a fault without further disturbances, if it is long enough to judge. */
interface Quiet extends Span {
  readonly fault: Fault;
}

function quietTimes({ truth, limits }: Run): Quiet[] {
  const { heartbeatMs, slackMs, lagMs } = limits;
  const neededMs = heartbeatMs + slackMs + lagMs;
  const awakenings = [...truth.instances.values()].flatMap(({ awake, endings }) => [
    ...awake.map(({ fromMs }) => fromMs),
    ...endings.map(({ fromMs }) => fromMs),
  ]);
  return truth.faults.flatMap((fault) => {
    const quiet = { fault, fromMs: fault.toMs, toMs: fault.toMs + neededMs };
    const isDisturbed =
      truth.faults.some((other) => other !== fault && overlaps(other, quiet)) ||
      awakenings.some((atMs) => atMs > quiet.fromMs && atMs <= quiet.toMs);
    return isDisturbed || quiet.toMs > truth.untilMs ? [] : [quiet];
  });
}

/** The instances that had to be in use at a moment, and those that must not be in use any more. */
function dueAt(truth: Truth, service: string, quiet: Quiet, limits: Run['limits']) {
  const { ttlMs, slackMs } = limits;
  const own = [...truth.instances.values()].filter((one) => one.service === service);
  const isLive = ({ awake, leases }: InstanceTruth) =>
    awake.some((one) => one.fromMs <= quiet.fromMs && one.toMs >= quiet.toMs) &&
    !hasLostPlace(leases, quiet.toMs);
  // Instances whose lease had ended before this fault, even if earlier faults delayed that.
  const earlier = truth.faults.filter(({ toMs }) => toMs < quiet.fault.fromMs);
  const settledMs = quiet.fault.fromMs - 2 * ttlMs - 1_000 - slackMs;
  const isGone = ({ endings }: InstanceTruth) =>
    endings.some(({ fromMs, toMs }) => fromMs < settledMs && toMs > quiet.toMs) &&
    earlier.every(({ toMs }) => toMs < settledMs);
  return { live: own.filter(isLive), gone: own.filter(isGone) };
}

/** Whether it was superseded, or left by itself, and did not return. */
function hasLostPlace(leases: InstanceTruth['leases'], atMs: number): boolean {
  const last = leases.findLast(
    (one) => one.what !== 'unknown' && (one.what === 'released' ? one.invokedMs : one.atMs) <= atMs,
  );
  return last?.what === 'released' || (last?.what === 'superseded' && leases.length === 1);
}

/**
 * How long after the fault a watcher used all live instances and kept doing so, in ms; undefined =
 * not before the quiet time ended.
 */
function convergedMs(seen: readonly Seen[], live: readonly string[], quiet: Quiet) {
  const current = seen.findLastIndex(({ atMs }) => atMs <= quiet.toMs);
  const isWhole = (one: Seen | undefined) => {
    const names = namesIn(one, 0);
    return live.every((instance) => names.has(instance));
  };
  if (current === -1) return undefined;
  if (!isWhole(seen[current])) return undefined;
  let first = current;
  while (first > 0 && isWhole(seen[first - 1])) first--;
  return Math.max(0, (seen[first]?.atMs ?? 0) - quiet.fault.toMs);
}

/** Finds pictures that did not match the live set soon after the faults. */
export const checkConvergence: Check = (run) =>
  quietTimes(run).flatMap((quiet) =>
    pictures(run.events).flatMap((seen) => divergences(seen, quiet, run)),
  );

function divergences(seen: readonly Seen[], quiet: Quiet, { truth, limits }: Run): Violation[] {
  const last = seen.findLast(({ atMs }) => atMs <= quiet.toMs);
  if (last === undefined) return [];
  const { live, gone } = dueAt(truth, last.service, quiet, limits);
  const used = namesIn(last, 0);
  const missing = live.filter(({ instance }) => !used.has(instance));
  const extra = gone.filter(({ instance }) => used.has(instance));
  if (missing.length + extra.length === 0) return [];
  const names = (all: readonly InstanceTruth[]) => all.map(({ instance }) => instance).join(', ');
  const afterMs = (quiet.toMs - quiet.fromMs).toFixed(0);
  const message =
    `${last.watcher} still has not the live set ${afterMs} ms after ${quiet.fault.name}: ` +
    `not in use ${names(missing) || 'nobody'}, dead and in use ${names(extra) || 'nobody'}`;
  return [{ promise: 'G4', kind: 'not-converged', atMs: quiet.toMs, message, evidence: [last] }];
}

/** For each fault followed by a quiet time: how long the slowest watcher took to use all live instances, in ms. */
export function convergeMs(run: Run): number[] {
  const counted = quietTimes(run).filter(({ toMs }) => toMs > run.limits.fromMs);
  return counted.map((quiet) => {
    const took = pictures(run.events).map((seen) => {
      const { live } = dueAt(run.truth, seen[0]?.service ?? '', quiet, run.limits);
      const names = live.map(({ instance }) => instance);
      return convergedMs(seen, names, quiet) ?? quiet.toMs - quiet.fromMs;
    });
    return Math.max(0, ...took);
  });
}
