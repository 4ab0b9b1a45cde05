import type { Clock } from '@rollcall/runtime';
import type { GroupTarget } from './group-target.ts';

/** The data plane's connections to a target. */
export interface ConnectionCloser {
  /** New requests use new ones. */
  renew(target: GroupTarget): void;
  /** Closes the unused ones. */
  retire(target: GroupTarget): void;
  /** Aborts the others. */
  sever(target: GroupTarget): void;
}

interface Departure {
  readonly until: number;
  isSevered: boolean;
}

/** Targets that get no new requests: requests in progress on them may continue for a limited time. */
export class DrainingTargets {
  readonly #departing = new Map<GroupTarget, Departure>();
  /** For targets that depart from now on. */
  delayMs: number;
  readonly #clock: Clock;
  readonly #closer: ConnectionCloser;

  constructor(delayMs: number, clock: Clock, closer: ConnectionCloser) {
    this.delayMs = delayMs;
    this.#clock = clock;
    this.#closer = closer;
  }

  get isEmpty(): boolean {
    return this.#departing.size === 0;
  }

  has(target: GroupTarget): boolean {
    return this.#departing.has(target);
  }

  targets(): IterableIterator<GroupTarget> {
    return this.#departing.keys();
  }

  add(target: GroupTarget): void {
    if (this.#departing.has(target)) return;
    this.#departing.set(target, {
      until: this.#clock.monotonicMs() + this.delayMs,
      isSevered: false,
    });
    this.#closer.retire(target);
  }

  /** Aborts overdue requests. @returns the targets whose last request has ended; these are forgotten here. */
  sweep(): GroupTarget[] {
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
