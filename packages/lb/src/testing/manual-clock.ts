import type { Clock } from '../runtime/clock.ts';

export class ManualClock implements Clock {
  #now = 0;

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2030, 0, 1) + this.#now);
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
