import { type Endpoint, serviceKeyOf } from '@rollcall/contract';
import type { ServiceChange } from '../picture/picture.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** A change as it was sent. */
export interface SentChange {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  /** What to resume from after it. */
  readonly resumeAfter: number;
  readonly frame: Frame;
  readonly change: ServiceChange;
}

/** A change with its place among those sent. */
export interface PlacedChange extends SentChange {
  /** One more than the one's before. */
  readonly place: number;
  /** The highest revision up to here: a change that was held back comes after newer ones of other services. */
  readonly highest: number;
}

/** Encodes a change once for all. `mark` is the digest of everything up to where it may be resumed from. */
export function sentChangeOf(change: ServiceChange, mark: string | undefined): SentChange {
  const { namespace, service, revision, resumeAfter } = change;
  const frame = encodeFrame('change', dataOf(change), idOf(resumeAfter, mark));
  return { namespace, service, revision, resumeAfter, frame, change };
}

/** What a stream is resumed from. */
export function idOf(revision: number, mark: string | undefined): string {
  return mark === undefined || mark === '' ? String(revision) : `${revision}-${mark}`;
}

/**
 * The frames of changes that a stream missed, or may have missed: one for each service, in the order of the first. A change
 * that was undone since is not shown again, not even for a moment. What several were put into has no id: a stream that
 * breaks behind it begins again before all of them.
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

/** What several changes of a service come to. */
function mergedChange(changes: readonly ServiceChange[]): ServiceChange {
  const [first] = changes as [ServiceChange];
  const latest = new Map<string, Endpoint | undefined>();
  let declared: ServiceChange['declared'];
  for (const change of changes) {
    for (const id of change.removes) latest.set(id, undefined);
    for (const endpoint of change.upserts) latest.set(endpoint.id, endpoint);
    if (change.declared !== undefined) declared = change.declared;
  }
  const upserts = [...latest.values()].filter((endpoint) => endpoint !== undefined);
  const removes = [...latest].filter(([, endpoint]) => endpoint === undefined).map(([id]) => id);
  const { declared: _, ...last } = changes.at(-1) as ServiceChange;
  const parts = { first: first.first ?? first.revision, upserts, removes };
  return { ...last, ...parts, ...(declared === undefined ? {} : { declared }) };
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
