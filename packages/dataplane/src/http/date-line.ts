import type { Clock } from '../runtime/clock.ts';
import type { WallClock } from '../runtime/wall-clock.ts';
import { ascii } from './bytes.ts';

const FRESH_MS = 500;

/** The line `Date: ...`, formatted at most twice a second. */
export class DateLine {
  readonly #clock: Clock;
  readonly #wallClock: WallClock;
  #madeAt = Number.NEGATIVE_INFINITY;
  #text = '';
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(clock: Clock, wallClock: WallClock) {
    this.#clock = clock;
    this.#wallClock = wallClock;
  }

  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  get text(): string {
    this.#refresh();
    return this.#text;
  }

  #refresh(): void {
    const now = this.#clock.now();
    if (now - this.#madeAt < FRESH_MS) return;
    this.#madeAt = now;
    this.#text = `Date: ${new Date(this.#wallClock()).toUTCString()}`;
    this.#bytes = ascii(`${this.#text}\r\n`);
  }
}
