import type { Tell } from '@rollcall/daemon';

/** Tells what is wrong once, and again only if it was right in between. */
export class OnceLog {
  readonly #log: Tell;
  readonly #level: 'warn' | 'error';
  #told: ReadonlySet<string> = new Set();

  constructor(log: Tell, level: 'warn' | 'error' = 'warn') {
    this.#log = log;
    this.#level = level;
  }

  /** `notes`: all that hold now. */
  tell(notes: readonly string[]): void {
    const last = this.#told;
    this.#told = new Set(notes);
    for (const note of this.#told) if (!last.has(note)) this.#log(note, this.#level);
  }
}
