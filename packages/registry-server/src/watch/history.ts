import { serviceKeyOf } from '@rollcall/contract';
import { mergedChange, type ServiceChange } from '../picture/service-change.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** A change as it was sent. */
export interface SentChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  /** The revision to resume from after it. */
  readonly resumeAfter: number;
  readonly frame: Frame;
  readonly change: ServiceChange;
}

/** A change with its place in the order of sending. */
export interface PlacedChange extends SentChange {
  /** One more than that of the previous change. */
  readonly place: number;
  /** The highest revision so far: a change that was held back may follow newer ones of other services. */
  readonly highest: number;
}

/** Encodes a change once for all streams. `digest` is the digest of everything up to its resume position. */
export function sentChangeOf(change: ServiceChange, digest: string | undefined): SentChange {
  const { namespace, service, revision, resumeAfter } = change;
  const frame = encodeFrame('change', dataOf(change), idOf(resumeAfter, digest));
  return { namespace, service, revision, resumeAfter, frame, change };
}

/** The event id, from which a stream can resume. */
export function idOf(revision: number, digest: string | undefined): string {
  return digest === undefined || digest === '' ? String(revision) : `${revision}-${digest}`;
}

/**
 * The frames of changes that a stream missed or may have missed: one per service, in the order of each first change. A
 * change that was undone since is not sent, not even for a moment. A merged frame has no id: a stream that breaks after
 * it resumes before all of its changes.
 */
export function framesOf(missed: readonly SentChange[]): Frame[] {
  const byService = Map.groupBy(missed, ({ namespace, service }) =>
    serviceKeyOf({ namespace, service }),
  );
  return Array.from(byService.values(), (changes) => {
    const [only] = changes as [SentChange];
    if (changes.length === 1) return only.frame;
    return encodeFrame('change', dataOf(mergedChange(changes.map(({ change }) => change))));
  });
}

function dataOf(change: ServiceChange): object {
  const { namespace, service, revision, first, declared, upserts, removes } = change;
  return {
    namespace,
    service,
    revision: String(revision),
    ...(first === undefined || first === revision ? {} : { first: String(first) }),
    ...(declared === undefined ? {} : { declared }),
    upserts,
    removes,
  };
}

/** The last changes in the order of sending, so that a broken stream can resume where it was. */
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

  /** Place of the last change. */
  get lastPlace(): number {
    return this.#lastPlace;
  }

  /**
   * The roll was read at this revision: nothing before it is known. If it was read again, several changes share the
   * revision, and a stream that has seen the revision may miss some of them.
   */
  restartAt(revision: number): void {
    const isFirst = this.#since === Number.POSITIVE_INFINITY && this.#changes.length === 0;
    this.#since = isFirst ? revision : revision + 1;
    // A new store says nothing about the time before its first entry, whatever revision a stream comes with.
    if (revision === 0) this.#since = Number.POSITIVE_INFINITY;
    this.#changes = [];
    // Another store may count from a different revision.
    this.#highest = 0;
    // A subscriber that was parked before has missed some of it.
    this.#lastPlace++;
  }

  /** Adds a change; returns it with its place. */
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

  /** Whether the history reaches back to a revision. */
  reaches(revision: number): boolean {
    return revision >= this.#since;
  }

  /** Changes after a revision, in the order of sending; undefined when the history does not reach back that far. */
  after(revision: number): readonly PlacedChange[] | undefined {
    if (!this.reaches(revision)) return undefined;
    let from = this.#changes.length;
    while (from > 0 && (this.#changes[from - 1] as PlacedChange).highest > revision) from--;
    return this.#changes.slice(from).filter((change) => change.revision > revision);
  }

  /** Changes after a place, in the order of sending; undefined when the history does not reach back that far. */
  afterPlace(place: number): readonly PlacedChange[] | undefined {
    const first = this.#changes[0]?.place ?? this.#lastPlace + 1;
    return place < first - 1 ? undefined : this.#changes.slice(place - first + 1);
  }
}
