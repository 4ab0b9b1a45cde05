import type { Clock } from '@rollcall/runtime';
import { ascii } from './bytes.ts';

const FRESH_MS = 500;

/** The line `Date: ...`, formatted at most twice a second. */
export class DateLine {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  #madeAt = Number.NEGATIVE_INFINITY;
  #text = '';
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>) {
    this.#clock = clock;
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
    const now = this.#clock.monotonicMs();
    if (now - this.#madeAt < FRESH_MS) return;
    this.#madeAt = now;
    this.#text = `Date: ${new Date(this.#clock.wallMs()).toUTCString()}`;
    this.#bytes = ascii(`${this.#text}\r\n`);
  }
}
