import { setTimeout as sleep } from 'node:timers/promises';

/** One call that failed. */
export interface Failure {
  readonly atMs: number;
  readonly message: string;
}

export interface LoadOptions {
  /** Number of concurrent calls. @default 8 */
  readonly concurrency?: number;
  /** Pause between two calls of one caller, in ms. @default 2 */
  readonly pauseMs?: number;
}

/** Calls something repeatedly until it is stopped, and records which instance answered when. */
export class Load {
  readonly failures: Failure[] = [];
  /** The instance that answered, and when (performance clock, ms). */
  readonly answers: { readonly by: string; readonly atMs: number }[] = [];
  #isRunning = true;
  readonly #callers: Promise<void>[];

  /** `call` resolves to the name of the instance that answered. */
  constructor(call: () => Promise<string>, { concurrency = 8, pauseMs = 2 }: LoadOptions = {}) {
    this.#callers = Array.from({ length: concurrency }, () => this.#run(call, pauseMs));
  }

  /** Names of the instances that have answered since a moment of the performance clock. */
  bySince(atMs: number): Set<string> {
    return new Set(this.answers.filter((answer) => answer.atMs >= atMs).map(({ by }) => by));
  }

  /** When the instance last answered; -Infinity = never. */
  lastBy(name: string): number {
    return this.answers.findLast(({ by }) => by === name)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#callers);
  }

  async #run(call: () => Promise<string>, pauseMs: number): Promise<void> {
    while (this.#isRunning) {
      try {
        const by = await call();
        this.answers.push({ by, atMs: performance.now() });
      } catch (error) {
        this.failures.push({ atMs: performance.now(), message: (error as Error).message });
      }
      await sleep(pauseMs);
    }
  }
}
