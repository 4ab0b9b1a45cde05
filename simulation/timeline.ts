import { setImmediate as turn } from 'node:timers/promises';

const TICKS_PER_MS = 1_024;

/** More events than any scenario produces. */
const MOST = 300_000;

/** A planned event. */
export interface Planned {
  readonly atMs: number;
  /** Breaks ties: planned first, runs first. */
  readonly serial: number;
  act: (() => void) | undefined;
}

/**
 * Virtual time: a list of planned events; only they move the clock. Between two events, everything that they start
 * (promises, microtasks) runs to its end, so the same plan always has the same result.
 */
export class Timeline {
  readonly #heap: Planned[] = [];
  #nowMs = 0;
  #serial = 0;
  /** Number of events so far. */
  happened = 0;
  /** Real work in progress that virtual time waits for. */
  #underWay = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans an event; clear its `act` to cancel it. */
  plan(delayMs: number, act: () => void): Planned {
    // Times are multiples of a power of two: differences are exact, so no timer fires slightly too early.
    const atMs = Math.ceil((this.#nowMs + Math.max(0, delayMs)) * TICKS_PER_MS) / TICKS_PER_MS;
    const planned = { atMs, serial: this.#serial++, act };
    this.#push(planned);
    return planned;
  }

  /** Runs work that takes real time, such as a call to a real Redis, but no virtual time. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
    }
  }

  /** Advances virtual time to a moment. */
  async runTo(endMs: number): Promise<void> {
    await this.#settled();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      const { act } = next;
      if (act === undefined) continue;
      this.#nowMs = next.atMs;
      if (++this.happened > MOST)
        throw new Error(
          `more than ${MOST} things happened by ${next.atMs} ms: a loop without a pause`,
        );
      next.act = undefined;
      act();
      await this.#settled();
    }
    this.#nowMs = endMs;
  }

  /** Resolves when nothing is in progress that an event, or the caller between two runs, has started. */
  async #settled(): Promise<void> {
    do await turn();
    while (this.#underWay > 0);
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (isBefore(heap[up] as Planned, planned)) break;
      heap[at] = heap[up] as Planned;
      at = up;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Planned, heap[down] as Planned)) {
        down++;
      }
      if (isBefore(last, heap[down] as Planned)) break;
      heap[at] = heap[down] as Planned;
      at = down;
    }
    heap[at] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);
}
