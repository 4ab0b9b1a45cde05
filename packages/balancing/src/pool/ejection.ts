import type { Random } from '../order/order.ts';

/** How a call to a target failed. */
export type FailureKind =
  /** No connection came about: one is enough to eject. */
  | 'connect'
  /** The connection died under a call, no answer came in time, or the answer was a 5xx: several in a row eject. */
  | 'call';

export interface EjectionOptions {
  /** Failed calls in a row that eject a target. */
  readonly failuresInARow: number;
  /** How long the first ejection lasts, in ms; each repeat doubles it. */
  readonly baseMs: number;
  /** The longest ejection, in ms. A target that stays clean for as long starts again at `baseMs`. */
  readonly maxMs: number;
  /** Largest share of the targets that may be ejected at a time, 0..1; at least one is always left. */
  readonly maxEjectedRatio: number;
  /** Uniform in [0, 1): spreads the ends of ejections by +-10 %. */
  readonly random: Random;
}

interface Record {
  failures: number;
  ejections: number;
  /** When the last ejection ends or ended; -Infinity before the first. */
  untilMs: number;
}

/**
 * Remembers by id which targets failed and leaves them out for a while. Its memory outlives the
 * snapshots that it is asked about. The time is passed in, in ms on any one monotonic clock.
 */
export class Ejection {
  readonly #options: EjectionOptions;
  readonly #records = new Map<string, Record>();

  constructor(options: EjectionOptions) {
    this.#options = options;
  }

  /** Notes a failed call. True when this ejected the target, so that the next snapshot will differ. */
  failed(id: string, kind: FailureKind, nowMs: number): boolean {
    const record = this.#recordOf(id);
    record.failures++;
    if (nowMs < record.untilMs) return false;
    if (kind === 'call' && record.failures < this.#options.failuresInARow) return false;
    const { baseMs, maxMs, random } = this.#options;
    if (nowMs - record.untilMs > maxMs) record.ejections = 0;
    const lengthMs = Math.min(baseMs * 2 ** record.ejections, maxMs);
    record.ejections++;
    record.failures = 0;
    record.untilMs = nowMs + lengthMs * (0.9 + 0.2 * random());
    return true;
  }

  /** Notes an answered call: the row of failures is broken. Does not end an ejection. */
  succeeded(id: string): void {
    const record = this.#records.get(id);
    if (record !== undefined) record.failures = 0;
  }

  /** Whether the target's own record has it ejected; {@link admitted} may use it all the same. */
  isEjected(id: string, nowMs: number): boolean {
    return nowMs < (this.#records.get(id)?.untilMs ?? -Infinity);
  }

  /**
   * Those of `targets` that may be used. At most `maxEjectedRatio` of them (rounded up, one always
   * left) are left out, those whose ejection ends last; when every one is ejected all are used,
   * because then the fault is rather on this side or everywhere.
   */
  admitted<T extends { readonly id: string }>(targets: readonly T[], nowMs: number): readonly T[] {
    const ejected = targets.filter((target) => this.isEjected(target.id, nowMs));
    if (ejected.length === 0 || ejected.length === targets.length) return targets;
    const most = Math.min(
      Math.ceil(targets.length * this.#options.maxEjectedRatio),
      targets.length - 1,
    );
    ejected.sort((a, b) => this.#recordOf(b.id).untilMs - this.#recordOf(a.id).untilMs);
    const left = new Set(ejected.slice(0, most));
    return targets.filter((target) => !left.has(target));
  }

  /** When the next ejection ends, in ms; Infinity when there is none. A new snapshot is due then. */
  nextReturnMs(nowMs: number): number {
    let next = Infinity;
    for (const { untilMs } of this.#records.values())
      if (untilMs > nowMs && untilMs < next) next = untilMs;
    return next;
  }

  /** Forgets every target that is not in `ids`. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#records.keys()) if (!ids.has(id)) this.#records.delete(id);
  }

  #recordOf(id: string): Record {
    let record = this.#records.get(id);
    if (record === undefined) {
      record = { failures: 0, ejections: 0, untilMs: -Infinity };
      this.#records.set(id, record);
    }
    return record;
  }
}
