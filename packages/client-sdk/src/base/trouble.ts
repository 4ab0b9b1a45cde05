import type { RollcallError } from './error.ts';
import type { Runtime } from './runtime.ts';

/** Shortest time between two process warnings about the same trouble, in ms. */
const WARN_MS = 60_000;

/** The reason why a repeated attempt keeps failing. It causes a process warning from time to time. */
export class Trouble {
  readonly #runtime: Pick<Runtime, 'monotonicMs' | 'warn'>;
  readonly #what: string;
  #last: RollcallError | undefined;
  #sinceMs: number | undefined;
  #warnedAtMs = -Infinity;

  /** `what`: the activity, e.g. `registering instance a of b`. */
  constructor(runtime: Pick<Runtime, 'monotonicMs' | 'warn'>, what: string) {
    this.#runtime = runtime;
    this.#what = what;
  }

  /** The last error; undefined = no trouble now. */
  get last(): RollcallError | undefined {
    return this.#last;
  }

  /** `patienceMs`: no warning until the trouble has lasted this long. */
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
