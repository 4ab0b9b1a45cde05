import type { ServiceChange } from '../registry/picture.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** A change as it was sent. */
export interface SentChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  /** What to resume from after it. */
  readonly resumeAfter: number;
  readonly frame: Frame;
}

/** Encodes a change once for all. */
export function sentChangeOf(change: ServiceChange): SentChange {
  const { namespace, service, revision, resumeAfter, declared, upserts, removes } = change;
  const data = {
    namespace,
    service,
    revision: String(revision),
    ...(declared === undefined ? {} : { declared }),
    upserts,
    removes,
  };
  const frame = encodeFrame('change', data, resumeAfter);
  return { namespace, service, revision, resumeAfter, frame };
}

/** The last changes, so that a stream that broke can resume where it was. */
export class ChangeHistory {
  readonly #capacity: number;
  #changes: SentChange[] = [];
  /** Everything after this revision is in the history. */
  #since = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * The roll was read, at this revision: nothing is known of before. When it was read anew several changes share the
   * revision, and one who has seen it may lack some of them.
   */
  begin(revision: number): void {
    const isFirst = this.#since === Number.POSITIVE_INFINITY && this.#changes.length === 0;
    this.#since = isFirst ? revision : revision + 1;
    // A new store says nothing of what was before its first entry, whatever revision somebody comes with.
    if (revision === 0) this.#since = Number.POSITIVE_INFINITY;
    this.#changes = [];
  }

  add(change: SentChange): void {
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = change.revision - 1;
    this.#changes.push(change);
    if (this.#changes.length <= this.#capacity * 1.1) return;
    const dropped = this.#changes.splice(0, this.#changes.length - this.#capacity);
    this.#since = dropped.at(-1)?.revision ?? this.#since;
  }

  /** Whether it reaches back to a revision. */
  reaches(revision: number): boolean {
    return revision >= this.#since;
  }

  /** Changes after a revision, oldest first; undefined when the history does not reach back so far. */
  after(revision: number): readonly SentChange[] | undefined {
    if (!this.reaches(revision)) return undefined;
    let from = this.#changes.length;
    while (from > 0 && (this.#changes[from - 1] as SentChange).revision > revision) from--;
    return this.#changes.slice(from);
  }
}
