import type { Bounds } from './facts/bounds.ts';
import { checkHistory, type Verdict } from './check-history.ts';
import type { Violation } from './checks/check.ts';
import type { Happening } from './facts/happening.ts';
import { trimmed } from './trimmed.ts';

/** A log of what happened in a run, in the order in which it was told. */
export class History {
  #happenings: Happening[] = [];

  add(...happenings: readonly Happening[]): void {
    this.#happenings.push(...happenings);
  }

  get size(): number {
    return this.#happenings.length;
  }

  get happenings(): readonly Happening[] {
    return this.#happenings;
  }

  check(bounds: Bounds): Verdict {
    return checkHistory(this.#happenings, bounds);
  }

  /** Drops what was over before a moment, but for what later checks build on. Keeps the log of a long run short. */
  forget(beforeMs: number): void {
    this.#happenings = trimmed(this.#happenings, beforeMs);
  }
}

/** Violations as text for people, with what shows them. */
export function reportOf(violations: readonly Violation[]): string {
  return violations
    .map(({ promise, atMs, message, evidence }) => {
      const lines = evidence.map((one) => `    ${JSON.stringify(one)}`);
      return [`${promise} at ${atMs.toFixed(0)} ms: ${message}`, ...lines].join('\n');
    })
    .join('\n');
}
