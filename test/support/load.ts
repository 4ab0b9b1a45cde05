import { setTimeout as sleep } from 'node:timers/promises';

/** One call that failed. */
export interface Failure {
  readonly atMs: number;
  readonly message: string;
}

export interface LoadOptions {
  /** How many calls are under way at a time. @default 8 */
  readonly concurrency?: number;
  /** Pause between two calls of one caller, in ms. @default 2 */
  readonly pauseMs?: number;
}

/** Calls something over and over until told to stop, and remembers who answered when. */
export class Load {
  readonly failures: Failure[] = [];
  /** Who answered, and when (performance clock, ms). */
  readonly answers: { readonly by: string; readonly atMs: number }[] = [];
  #isRunning = true;
  readonly #callers: Promise<void>[];

  /** `call` resolves to the name of who answered. */
  constructor(call: () => Promise<string>, { concurrency = 8, pauseMs = 2 }: LoadOptions = {}) {
    this.#callers = Array.from({ length: concurrency }, () => this.#run(call, pauseMs));
  }

  /** Names of those who answered since a moment of the performance clock. */
  bySince(atMs: number): Set<string> {
    return new Set(this.answers.filter((answer) => answer.atMs >= atMs).map(({ by }) => by));
  }

  /** When somebody answered last; -Infinity = never. */
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
