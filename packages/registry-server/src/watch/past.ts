import { firstAfter } from '../store/log-search.ts';

/** A place in a past: a revision, and the digest of everything up to it where it is known. */
export interface PastPosition {
  readonly revision: number;
  readonly mark: string | undefined;
}

/**
 * The digests of the last entries of the log. A store that fails over can lose a past that somebody has seen, and take
 * the same revisions again for something else: by its digest a position in the one is told from one in the other.
 */
export class Past {
  readonly #capacity: number;
  #entries: { readonly revision: number; readonly mark: string }[] = [];
  #hasLostOne = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The roll was read at a revision: nothing is known of before. `hasLost`: that is because the store lost it. */
  begin(revision: number, mark: string, hasLost: boolean): void {
    this.#entries = [{ revision, mark }];
    this.#hasLostOne ||= hasLost;
  }

  add(revision: number, mark: string): void {
    this.#entries.push({ revision, mark });
    if (this.#entries.length > this.#capacity * 1.1) {
      this.#entries.splice(0, this.#entries.length - this.#capacity);
    }
  }

  /** Digest of everything up to a revision; undefined where that is not known any more. */
  markAt(revision: number): string | undefined {
    return this.#entries[firstAfter(this.#entries, revision) - 1]?.mark;
  }

  /** Whether a position is known to be, or may be, of a past that the store lost. */
  isLost({ revision, mark }: PastPosition): boolean {
    const own = this.markAt(revision);
    return own === undefined ? this.#hasLostOne : mark !== undefined && mark !== own;
  }
}
