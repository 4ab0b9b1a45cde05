import type { Clock } from '@rollcall/runtime';

/** How long work may hold the event loop at a time, in ms. */
const SPELL_MS = 8;

/** Lets the event loop go round in between the steps of work that takes long. */
export class Breath {
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** To be awaited after each step: goes on at once unless the last turn was long ago. */
  async take(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#sinceMs < SPELL_MS) return;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
