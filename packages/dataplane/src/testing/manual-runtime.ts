import type { Clock } from '../runtime/clock.ts';
import type { Timers } from '../runtime/timers.ts';

/** Time that passes only when told to. */
export class ManualRuntime implements Clock, Timers {
  #now = 1_000;
  readonly #tasks = new Set<{ intervalMs: number; dueAt: number; task: () => void }>();

  now(): number {
    return this.#now;
  }

  every(intervalMs: number, task: () => void): () => void {
    const entry = { intervalMs, dueAt: this.#now + intervalMs, task };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, ...Array.from(this.#tasks, (entry) => entry.dueAt));
      for (const entry of this.#tasks) {
        if (entry.dueAt > this.#now) continue;
        entry.dueAt += entry.intervalMs;
        entry.task();
      }
    }
  }
}
