import { type Bounds, type Limits, limitsOf } from './facts/bounds.ts';
import { type Check, only, type Run, type Violation } from './checks/check.ts';
import { checkConvergence, convergeMs } from './checks/convergence.ts';
import { checkDead, killToLastPickMs } from './checks/dead.ts';
import { checkEmptied, checkForgotten, checkLost, checkReturned } from './checks/lost.ts';
import { checkAgreement, checkOrder } from './checks/order.ts';
import { checkFailed, checkRepeated, checkRetries } from './checks/requests.ts';
import { checkSuccession } from './checks/succession.ts';
import type { Happening } from './facts/happening.ts';
import { longestStaleMs } from './staleness.ts';
import { truthOf } from './facts/truth.ts';

export interface Figures {
  /** Instances that a watcher lost although they were on the roll and running. */
  readonly falseEvictions: number;
  readonly requests: number;
  readonly requestsFailed: number;
  /** Of the failed ones, those that must not be repeated: their instance died under them. */
  readonly unrepeatableFailed: number;
  /** The longest that a picture had somebody dead in use, or not yet somebody new, in ms. */
  readonly longestStaleMs: number;
  /** For each fault with a quiet time after it, until the slowest watcher had everybody in use, in ms. */
  readonly convergeMs: readonly number[];
  /** For each kill of an instance, until it was chosen for the last time, in ms. */
  readonly killToLastPickMs: readonly number[];
}

export interface Verdict {
  /** In the order of time. */
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
 * Compares what happened with what an all-knowing observer knows must be so, promise by promise. It is lenient where one
 * cannot know: an answer that never came may have been lost on the way or not, and a picture may be as old as `lagMs`.
 * After the robustness tests of etcd (its tests/robustness/README.md).
 */
export function checkHistory(happenings: readonly Happening[], bounds: Bounds): Verdict {
  const limits = limitsOf(bounds);
  const ordered = happenings.toSorted((a, b) => a.atMs - b.atMs);
  const run: Run = { happenings: ordered, truth: truthOf(ordered, limits), limits };
  const violations = CHECKS.flatMap((check) => newIn(check(run), limits)).toSorted(
    (a, b) => a.atMs - b.atMs,
  );
  return { violations, figures: figuresOf(run) };
}

function newIn<T extends { readonly atMs: number }>(all: readonly T[], { fromMs }: Limits): T[] {
  return all.filter(({ atMs }) => atMs > fromMs);
}

function figuresOf(run: Run): Figures {
  const requests = newIn(only(run.happenings, 'request'), run.limits);
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
