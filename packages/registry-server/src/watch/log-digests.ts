import { firstAfter } from '../store/log-search.ts';

/** A position in the log: a revision, and the digest of everything up to it, if known. */
export interface LogPosition {
  readonly revision: number;
  readonly digest: string | undefined;
}

/**
 * The digests of the last entries of the log. A store that fails over can lose entries that a client has seen, and use
 * the same revisions again for something else. The digest tells the two positions apart.
 */
export class LogDigests {
  readonly #capacity: number;
  #entries: { readonly revision: number; readonly digest: string }[] = [];
  #hasLostOne = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The roll was read at a revision: nothing before it is known. `hasLost`: because the store lost it. */
  restartAt(revision: number, digest: string, hasLost: boolean): void {
    this.#entries = [{ revision, digest }];
    this.#hasLostOne ||= hasLost;
  }

  add(revision: number, digest: string): void {
    this.#entries.push({ revision, digest });
    if (this.#entries.length > this.#capacity * 1.1) {
      this.#entries.splice(0, this.#entries.length - this.#capacity);
    }
  }

  /** Digest of everything up to a revision; undefined when no longer known. */
  digestAt(revision: number): string | undefined {
    return this.#entries[firstAfter(this.#entries, revision) - 1]?.digest;
  }

  /** Whether a position belongs, or may belong, to a past that the store lost. */
  isLost({ revision, digest }: LogPosition): boolean {
    const own = this.digestAt(revision);
    return own === undefined ? this.#hasLostOne : digest !== undefined && digest !== own;
  }
}
