/** How far a loop that fails stretches its pauses, in ms. */
const LONGEST_PAUSE_MS = 5_000;

/** The part of a clock that loops need. */
export interface LoopTimer {
  every(ms: number, call: () => void): { cancel(): void };
}

/** What became of loops that failed without reason. */
export interface LoopFaults {
  /** By the name of the loop. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface SupervisorOptions {
  readonly clock: LoopTimer;
  /** Whether a loop may fail so: the store is away. Such a turn is over, and the next one comes in its time. */
  readonly isExpected: (error: unknown) => boolean;
  /** Told of every other fault, which is to be logged with its stack. Must not throw. */
  readonly onFault: (loop: string, error: unknown) => void;
}

/** A loop that runs until it is cancelled. */
export interface Loop {
  /** Whether the last turn failed, for whatever reason. False before the first one is over. */
  readonly isFailing: boolean;
  cancel(): void;
}

/**
 * Runs the background loops of a process. A turn that fails neither ends the process nor passes unseen: what is
 * expected is taken as it is, everything else is told and counted, and the loop goes on after a growing pause.
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

  /** Runs something once. Never rejects; resolves to whether it went well, expected failures included as not. */
  async run(loop: string, work: () => unknown): Promise<boolean> {
    return (await this.#turn(loop, work)) === 'done';
  }

  /** Tells of a fault that somebody else caught. */
  note(loop: string, error: unknown): void {
    this.#faults.set(loop, (this.#faults.get(loop) ?? 0) + 1);
    this.#options.onFault(loop, error);
  }

  /** A callback that does not throw. */
  guard(loop: string, call: () => void): () => void {
    return () => {
      try {
        call();
      } catch (error) {
        this.note(loop, error);
      }
    };
  }

  /**
   * Runs something every `ms`, one turn at a time: what takes longer leaves turns out. After faults the pause doubles,
   * up to 5 s. The first turn comes after one pause.
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
      this.note(loop, error);
      return 'fault';
    }
  }
}
