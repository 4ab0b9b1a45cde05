import type { RollcallError } from './error.ts';
import type { Runtime } from './runtime.ts';

/** The process is warned of the same trouble this often at most, in ms. */
const WARN_MS = 60_000;

/** What keeps something from coming about that is tried again and again; the process is told now and then. */
export class Trouble {
  readonly #runtime: Pick<Runtime, 'monotonicMs' | 'warn'>;
  readonly #what: string;
  #last: RollcallError | undefined;
  #sinceMs: number | undefined;
  #warnedAtMs = -Infinity;

  /** `what`: `registering instance a of b`. */
  constructor(runtime: Pick<Runtime, 'monotonicMs' | 'warn'>, what: string) {
    this.#runtime = runtime;
    this.#what = what;
  }

  /** The last thing that went wrong; undefined = nothing is. */
  get last(): RollcallError | undefined {
    return this.#last;
  }

  /** `patienceMs`: trouble that has not lasted for so long is not worth telling. */
  note(error: RollcallError, patienceMs = 0): void {
    const nowMs = this.#runtime.monotonicMs();
    this.#last = error;
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < patienceMs || nowMs - this.#warnedAtMs < WARN_MS) return;
    this.#warnedAtMs = nowMs;
    this.#runtime.warn(`${this.#what} fails, and is tried again: ${error.message}`);
  }

  over(): void {
    this.#last = undefined;
    this.#sinceMs = undefined;
  }
}
