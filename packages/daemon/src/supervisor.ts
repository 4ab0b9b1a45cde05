import type { Clock } from '@rollcall/runtime';

/** The longest pause of a failing loop, in ms. */
const LONGEST_PAUSE_MS = 5_000;

/** The unexpected faults of loops. */
export interface LoopFaults {
  /** Number of faults by name of the loop. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface SupervisorOptions {
  readonly clock: Pick<Clock, 'every'>;
  /** Whether a loop may fail with this error, such as an unavailable store. Then the next turn runs as usual. */
  readonly isExpected: (error: unknown) => boolean;
  /** Gets every other fault, to log it with its stack. Must not throw. */
  readonly onFault: (loop: string, error: unknown) => void;
}

/** A loop that runs until it is cancelled. */
export interface Loop {
  /** Whether the last turn failed, for any reason. False until the first turn is over. */
  readonly isFailing: boolean;
  cancel(): void;
}

/**
 * Runs the background loops of a process. A failed turn does not end the process: expected errors are ignored; every
 * other one is reported and counted, and the loop goes on after a growing pause.
 */
export class Supervisor implements LoopFaults {
  readonly #options: SupervisorOptions;
  readonly #faults = new Map<string, number>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get faults(): ReadonlyMap<string, number> {
    return this.#faults;
  }

  /** Runs something once. Never rejects; resolves with whether it succeeded, false for expected errors too. */
  async run(loop: string, work: () => unknown): Promise<boolean> {
    return (await this.#turn(loop, work)) === 'done';
  }

  /** Reports a fault that was caught elsewhere. */
  report(loop: string, error: unknown): void {
    this.#faults.set(loop, (this.#faults.get(loop) ?? 0) + 1);
    this.#options.onFault(loop, error);
  }

  /** Wraps a callback so that it does not throw. */
  guard(loop: string, call: () => void): () => void {
    return () => {
      try {
        call();
      } catch (error) {
        this.report(loop, error);
      }
    };
  }

  /**
   * Runs something every `ms`, one turn at a time: turns that fall due during a longer one are skipped. After faults
   * the pause doubles, up to 5 s. The first turn comes after one pause.
   */
  every(loop: string, ms: number, work: () => unknown): Loop {
    const state = { isFailing: false, isRunning: false, faults: 0, toSkip: 0 };
    const turn = async (): Promise<void> => {
      state.isRunning = true;
      const end = await this.#turn(loop, work);
      state.isRunning = false;
      state.isFailing = end !== 'done';
      state.faults = end === 'fault' ? state.faults + 1 : 0;
      state.toSkip =
        Math.floor(Math.min(2 ** state.faults, Math.max(1, LONGEST_PAUSE_MS / ms))) - 1;
    };
    const timer = this.#options.clock.every(ms, () => {
      if (state.isRunning) return;
      if (state.toSkip > 0) state.toSkip--;
      else void turn();
    });
    return {
      get isFailing() {
        return state.isFailing;
      },
      cancel: () => timer.cancel(),
    };
  }

  async #turn(loop: string, work: () => unknown): Promise<'done' | 'expected' | 'fault'> {
    try {
      await work();
      return 'done';
    } catch (error) {
      if (this.#options.isExpected(error)) return 'expected';
      this.report(loop, error);
      return 'fault';
    }
  }
}
