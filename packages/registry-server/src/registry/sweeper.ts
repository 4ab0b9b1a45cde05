import type { Clock, Timer } from '../runtime/clock.ts';
import type { Store, SweepOutcome } from '../store/store.ts';

/** How often a server sweeps, in ms: the most that a silent host outlives its TTL, with the store's own time. */
const SWEEP_MS = 500;

/** Sweeps the store; any number of servers may. */
export class Sweeper {
  readonly #store: Store;
  readonly #floor: () => number;
  readonly #timer: Timer;
  #isRunning = false;
  /** Evicted and guarded since the start. */
  readonly totals = { expired: 0, guarded: 0, sweeps: 0, failures: 0 };

  constructor(store: Store, clock: Clock, floor: () => number) {
    this.#store = store;
    this.#floor = floor;
    this.#timer = clock.every(SWEEP_MS, () => void this.sweep());
  }

  /** Sweeps until nothing more is due. A store that is away is swept again later; never rejects. */
  async sweep(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      let outcome: SweepOutcome;
      do {
        outcome = await this.#store.expire({ floor: this.#floor() });
        this.totals.sweeps++;
        this.totals.expired += outcome.expired;
        this.totals.guarded += outcome.guarded;
      } while (outcome.more);
    } catch {
      this.totals.failures++;
    } finally {
      this.#isRunning = false;
    }
  }

  close(): void {
    this.#timer.cancel();
  }
}
