import type { Clock } from '@rollcall/runtime';
import type { GroupTarget } from './group-target.ts';

/** The data plane's connections to a target. */
export interface ConnectionCloser {
  /** Closes those that are not in use. */
  retire(target: GroupTarget): void;
  /** Breaks the rest. */
  sever(target: GroupTarget): void;
}

interface Departure {
  readonly until: number;
  isSevered: boolean;
}

/** Targets that take no new requests: what is under way on them gets its time, and not more. */
export class Departures {
  readonly #departing = new Map<GroupTarget, Departure>();
  readonly #delayMs: number;
  readonly #clock: Clock;
  readonly #closer: ConnectionCloser;

  constructor(delayMs: number, clock: Clock, closer: ConnectionCloser) {
    this.#delayMs = delayMs;
    this.#clock = clock;
    this.#closer = closer;
  }

  has(target: GroupTarget): boolean {
    return this.#departing.has(target);
  }

  targets(): IterableIterator<GroupTarget> {
    return this.#departing.keys();
  }

  begin(target: GroupTarget): void {
    if (this.#departing.has(target)) return;
    this.#departing.set(target, {
      until: this.#clock.monotonicMs() + this.#delayMs,
      isSevered: false,
    });
    this.#closer.retire(target);
  }

  /** Breaks what is overdue. @returns those whose last request has ended, which are forgotten here. */
  settle(): GroupTarget[] {
    const now = this.#clock.monotonicMs();
    const gone: GroupTarget[] = [];
    for (const [target, departure] of this.#departing) {
      if (target.inFlight > 0 && now >= departure.until && !departure.isSevered) {
        departure.isSevered = true;
        this.#closer.sever(target);
      }
      if (target.inFlight === 0) {
        this.#departing.delete(target);
        gone.push(target);
      }
    }
    return gone;
  }
}
