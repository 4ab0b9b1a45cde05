import type { Loop, Supervisor } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import { type Store, StoreUnavailableError, type SweepOutcome } from '../store/store.ts';

/** How often the store is swept, in ms. A silent host outlives its TTL by at most this, plus the store's own time. */
const SWEEP_MS = 500;

export interface SweeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
  /** The highest revision that this server has seen. */
  readonly floor: () => number;
  /** Called when the store starts to refuse sweeps, and when it accepts them again. */
  readonly onWritable: (isWritable: boolean, error: Error | undefined) => void;
}

/** Sweeps the store. Any number of servers may do so. */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #loop: Loop;
  #succeededAtMs: number;
  #isRefused = false;
  /** Evicted and guarded since the start. */
  readonly totals = { expired: 0, guarded: 0, sweeps: 0, failures: 0 };

  constructor(options: SweeperOptions) {
    const { clock, supervisor } = options;
    this.#options = options;
    this.#succeededAtMs = clock.monotonicMs();
    this.#loop = supervisor.every('sweeper', SWEEP_MS, () => this.sweep());
  }

  /** Whether the last sweep failed: then no instance is evicted, and no write would succeed either. */
  get isFailing(): boolean {
    return this.#loop.isFailing;
  }

  /** ms since the last successful sweep, or since the start. */
  get ageMs(): number {
    return this.#options.clock.monotonicMs() - this.#succeededAtMs;
  }

  /** Sweeps until nothing more is due. Rejects with the error of the store. */
  async sweep(): Promise<void> {
    const { store, clock, floor } = this.#options;
    try {
      let outcome: SweepOutcome;
      do {
        outcome = await store.expire({ floor: floor() });
        this.totals.sweeps++;
        this.totals.expired += outcome.expired;
        this.totals.guarded += outcome.guarded;
      } while (outcome.more);
      this.#succeededAtMs = clock.monotonicMs();
      this.#setRefused(undefined);
    } catch (error) {
      this.totals.failures++;
      if (error instanceof StoreUnavailableError) this.#setRefused(error);
      throw error;
    }
  }

  #setRefused(error: StoreUnavailableError | undefined): void {
    const isRefused = error !== undefined;
    if (this.#isRefused === isRefused) return;
    this.#isRefused = isRefused;
    this.#options.onWritable(!isRefused, error);
  }

  close(): void {
    this.#loop.cancel();
  }
}
