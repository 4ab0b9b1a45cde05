import { type Bounds, type Limits, limitsOf } from './facts/bounds.ts';
import { type Check, only, type Run, type Violation } from './checks/check.ts';
import { checkConvergence, convergeMs } from './checks/convergence.ts';
import { checkDead, killToLastPickMs } from './checks/dead.ts';
import { checkEmptied, checkForgotten, checkLost, checkReturned } from './checks/lost.ts';
import { checkAgreement, checkOrder } from './checks/order.ts';
import { checkFailed, checkRepeated, checkRetries } from './checks/requests.ts';
import { checkSuccession } from './checks/succession.ts';
import type { HistoryEvent } from './facts/history-event.ts';
import { longestStaleMs } from './staleness.ts';
import { truthOf } from './facts/truth.ts';

export interface Figures {
  /** Instances that a watcher lost although they were on the roll and running. */
  readonly falseEvictions: number;
  readonly requests: number;
  readonly requestsFailed: number;
  /** Failed requests that must not be repeated: their instance died while handling them. */
  readonly unrepeatableFailed: number;
  /** Longest time in which a picture still used a dead instance, or did not yet use a new one, in ms. */
  readonly longestStaleMs: number;
  /** For each fault followed by a quiet time: time until the slowest watcher used all live instances, in ms. */
  readonly convergeMs: readonly number[];
  /** For each kill of an instance: time until it was chosen for the last time, in ms. */
  readonly killToLastPickMs: readonly number[];
}

export interface Verdict {
  /** Ordered by time. */
  readonly violations: readonly Violation[];
  readonly figures: Figures;
}

const CHECKS: readonly Check[] = [
  checkLost,
  checkForgotten,
  checkDead,
  checkOrder,
  checkAgreement,
  checkConvergence,
  checkEmptied,
  checkReturned,
  checkSuccession,
  checkRetries,
  checkFailed,
  checkRepeated,
];

/**
 * Compares a run with what must be true according to an all-knowing observer, promise by promise. It is lenient where
 * the truth is unknown: a call without a response may or may not have been applied, and a picture may be as old as
 * `lagMs`. Modelled on the robustness tests of etcd (tests/robustness/README.md there).
 */
export function checkHistory(events: readonly HistoryEvent[], bounds: Bounds): Verdict {
  const limits = limitsOf(bounds);
  const ordered = events.toSorted((a, b) => a.atMs - b.atMs);
  const run: Run = { events: ordered, truth: truthOf(ordered, limits), limits };
  const violations = CHECKS.flatMap((check) => newIn(check(run), limits)).toSorted(
    (a, b) => a.atMs - b.atMs,
  );
  return { violations, figures: figuresOf(run) };
}

function newIn<T extends { readonly atMs: number }>(all: readonly T[], { fromMs }: Limits): T[] {
  return all.filter(({ atMs }) => atMs > fromMs);
}

function figuresOf(run: Run): Figures {
  const requests = newIn(only(run.events, 'request'), run.limits);
  const failed = requests.filter((one) => one.failed !== undefined);
  return {
    falseEvictions: newIn([...checkLost(run), ...checkForgotten(run)], run.limits).length,
    requests: requests.length,
    requestsFailed: failed.length,
    unrepeatableFailed: failed.filter(({ isIdempotent }) => !isIdempotent).length,
    longestStaleMs: longestStaleMs(run),
    convergeMs: convergeMs(run),
    killToLastPickMs: killToLastPickMs(run),
  };
}
