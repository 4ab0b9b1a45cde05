import type { Clock } from '@rollcall/runtime';

/**
 * The clock of a data plane, which remembers when it was read last: what follows at once, in the same piece of work,
 * needs no reading of its own. A request would read the clock nine times.
 */
export class RecentClock implements Pick<Clock, 'monotonicMs'> {
  /** The last reading, in ms. */
  recentMs: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.recentMs = clock.monotonicMs();
  }

  monotonicMs(): number {
    return (this.recentMs = this.#clock.monotonicMs());
  }
}
