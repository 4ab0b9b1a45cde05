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

/** A change with its place among those sent. */
export interface PlacedChange extends SentChange {
  /** One more than the one's before. */
  readonly place: number;
  /** The highest revision up to here: a change that was held back comes after newer ones of other services. */
  readonly highest: number;
}

/** Encodes a change once for all. */
export function sentChangeOf(change: ServiceChange): SentChange {
  const { namespace, service, revision, resumeAfter, first, declared, upserts, removes } = change;
  const data = {
    namespace,
    service,
    revision: String(revision),
    ...(first === undefined || first === revision ? {} : { first: String(first) }),
    ...(declared === undefined ? {} : { declared }),
    upserts,
    removes,
  };
  const frame = encodeFrame('change', data, resumeAfter);
  return { namespace, service, revision, resumeAfter, frame };
}

/** The last changes in the order in which they were sent, so that a stream that broke can resume where it was. */
export class ChangeHistory {
  readonly #capacity: number;
  #changes: PlacedChange[] = [];
  /** Everything after this revision is in the history. */
  #since = Number.POSITIVE_INFINITY;
  #lastPlace = 0;
  #highest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Of the last change that was added. */
  get lastPlace(): number {
    return this.#lastPlace;
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
    // Another store may count from elsewhere.
    this.#highest = 0;
    // And whoever was parked before lacks some of it.
    this.#lastPlace++;
  }

  /** Adds a change; gives it with its place. */
  add(change: SentChange): PlacedChange {
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = change.revision - 1;
    this.#highest = Math.max(this.#highest, change.revision);
    const placed = { ...change, place: ++this.#lastPlace, highest: this.#highest };
    this.#changes.push(placed);
    if (this.#changes.length > this.#capacity * 1.1) {
      const dropped = this.#changes.splice(0, this.#changes.length - this.#capacity);
      this.#since = dropped.at(-1)?.highest ?? this.#since;
    }
    return placed;
  }

  /** Whether it reaches back to a revision. */
  reaches(revision: number): boolean {
    return revision >= this.#since;
  }

  /** Changes after a revision, as they were sent; undefined when the history does not reach back so far. */
  after(revision: number): readonly PlacedChange[] | undefined {
    if (!this.reaches(revision)) return undefined;
    let from = this.#changes.length;
    while (from > 0 && (this.#changes[from - 1] as PlacedChange).highest > revision) from--;
    return this.#changes.slice(from).filter((change) => change.revision > revision);
  }

  /** Changes after a place, as they were sent; undefined when the history does not reach back so far. */
  afterPlace(place: number): readonly PlacedChange[] | undefined {
    const first = this.#changes[0]?.place ?? this.#lastPlace + 1;
    return place < first - 1 ? undefined : this.#changes.slice(place - first + 1);
  }
}
