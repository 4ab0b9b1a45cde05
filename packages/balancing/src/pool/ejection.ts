import type { Random } from '../order/order.ts';

/** How a call to a target failed. */
export type FailureKind =
  /** No connection could be made: one such failure ejects. */
  | 'connect'
  /** The connection died during a call, the response timed out, or it was a 5xx: several in a row eject. */
  | 'call';

export interface EjectionOptions {
  /** Consecutive failed calls that eject a target. */
  readonly failuresInARow: number;
  /** How long the first ejection lasts, in ms; each repeat doubles it. */
  readonly baseMs: number;
  /** The longest ejection, in ms. After a target has not been ejected for this long, it starts again at `baseMs`. */
  readonly maxMs: number;
  /** Largest share of the targets ejected at the same time, 0..1; at least one always stays. */
  readonly maxEjectedRatio: number;
  /** Uniform in [0, 1): varies the end of each ejection by +-10 %. */
  readonly random: Random;
}

/** An ejection that is not over. */
export interface Ejected {
  /** Time until it ends, in ms. */
  readonly leftMs: number;
  /** The failure that began it. */
  readonly kind: FailureKind;
}

interface Record {
  failures: number;
  ejections: number;
  /** The failure that began the last ejection. */
  kind: FailureKind;
  /** When the last ejection ends or ended; -Infinity before the first. */
  untilMs: number;
}

/**
 * Remembers by id which targets failed, and excludes them for a while. It outlives the snapshots for which it is used.
 * The caller passes the time, in ms on one monotonic clock.
 */
export class Ejection {
  #options: EjectionOptions;
  readonly #records = new Map<string, Record>();

  constructor(options: EjectionOptions) {
    this.#options = options;
  }

  /** From the next failure on. Ejections that have begun end when they would have. */
  configure(options: EjectionOptions): void {
    this.#options = options;
  }

  /** Records a failed call. True when this ejected the target, so that the next snapshot will differ. */
  failed(id: string, kind: FailureKind, nowMs: number): boolean {
    const record = this.#recordOf(id);
    record.failures++;
    if (nowMs < record.untilMs) return false;
    if (kind === 'call' && record.failures < this.#options.failuresInARow) return false;
    this.#begin(record, kind, nowMs);
    return true;
  }

  /** Ejects a target that has done worse than others. False: it is ejected already. */
  eject(id: string, nowMs: number): boolean {
    const record = this.#recordOf(id);
    if (nowMs < record.untilMs) return false;
    this.#begin(record, 'call', nowMs);
    return true;
  }

  #begin(record: Record, kind: FailureKind, nowMs: number): void {
    const { baseMs, maxMs, random } = this.#options;
    if (nowMs - record.untilMs > maxMs) record.ejections = 0;
    const lengthMs = Math.min(baseMs * 2 ** record.ejections, maxMs);
    record.ejections++;
    record.failures = 0;
    record.kind = kind;
    record.untilMs = nowMs + lengthMs * (0.9 + 0.2 * random());
  }

  /** Records an answered call: resets the count of consecutive failures. Does not end an ejection. */
  succeeded(id: string): void {
    const record = this.#records.get(id);
    if (record !== undefined) record.failures = 0;
  }

  /** Whether the target's record says that it is ejected; {@link admitted} may still include it. */
  isEjected(id: string, nowMs: number): boolean {
    return nowMs < (this.#records.get(id)?.untilMs ?? -Infinity);
  }

  /** The ejection of the target; undefined when it is not ejected. */
  ejectionOf(id: string, nowMs: number): Ejected | undefined {
    const record = this.#records.get(id);
    if (record === undefined || nowMs >= record.untilMs) return undefined;
    return { leftMs: record.untilMs - nowMs, kind: record.kind };
  }

  /**
   * The `targets` that may be used. At most `maxEjectedRatio` of them (rounded up, at least one stays) are
   * excluded, those whose ejection ends last. When all are ejected, all are used: then the fault is
   * probably on this side, or everywhere.
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

  /** When the next ejection ends, in ms; Infinity when there is none. A new snapshot is needed then. */
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
      record = { failures: 0, ejections: 0, kind: 'call', untilMs: -Infinity };
      this.#records.set(id, record);
    }
    return record;
  }
}
