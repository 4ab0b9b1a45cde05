import type { Bounds } from './facts/bounds.ts';
import { checkHistory, type Verdict } from './check-history.ts';
import type { Violation } from './checks/check.ts';
import type { HistoryEvent } from './facts/history-event.ts';
import { trimmed } from './trimmed.ts';

/** A log of what happened in a run, in the order of the reports. */
export class History {
  #events: HistoryEvent[] = [];

  add(...events: readonly HistoryEvent[]): void {
    this.#events.push(...events);
  }

  get size(): number {
    return this.#events.length;
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  check(bounds: Bounds): Verdict {
    return checkHistory(this.#events, bounds);
  }

  /** Drops what was finished before a moment, except what later checks need. Keeps the log of a long run short. */
  forget(beforeMs: number): void {
    this.#events = trimmed(this.#events, beforeMs);
  }
}

/** Violations as readable text, with their evidence. */
export function reportOf(violations: readonly Violation[]): string {
  return violations
    .map(({ promise, atMs, message, evidence }) => {
      const lines = evidence.map((one) => `    ${JSON.stringify(one)}`);
      return [`${promise} at ${atMs.toFixed(0)} ms: ${message}`, ...lines].join('\n');
    })
    .join('\n');
}
