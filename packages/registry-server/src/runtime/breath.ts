import type { Clock } from '@rollcall/runtime';

/** The longest time that work may block the event loop without a pause, in ms. */
const SPELL_MS = 8;

/** Gives the event loop a turn between the steps of long work. */
export class Breath {
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Await it after each step: it resolves at once unless the last turn was long ago. */
  async pauseIfLong(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#sinceMs < SPELL_MS) return;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
