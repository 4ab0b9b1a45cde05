import type { Clock } from '@rollcall/runtime';
import type { SendQueues } from './send-queues.ts';
import type { Connection } from './transport.ts';
import type { StallBounds } from './write-stall.ts';

/** One whose peer may have stopped to take bytes. */
export interface QueueSuspect {
  readonly connection: Connection;
  /** `length`: see {@link SendQueues.read}. May be late: the suspect may be beyond suspicion, or closed. */
  onSendQueue(length: number, now: number): void;
}

/** Tables of many sockets are long: this often in the time between two looks at one of them, they are read at most. */
const LOOKS_IN_BETWEEN = 10;

/** Collects those that a sweep found to be due, and looks at the send queues of all of them at once. */
export class QueueWatch {
  readonly bounds: StallBounds;
  readonly #queues: SendQueues;
  readonly #clock: Clock;
  #due: QueueSuspect[] = [];
  #isLooking = false;
  #nextLookAt = Number.NEGATIVE_INFINITY;

  constructor(queues: SendQueues, clock: Clock, bounds: StallBounds) {
    this.#queues = queues;
    this.#clock = clock;
    this.bounds = bounds;
  }

  /** Time for a look, for one more to compare it with, and for the sweeps between them. */
  get reprieveMs(): number {
    return this.bounds.lookMs * 3;
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  add(suspect: QueueSuspect): void {
    this.#due.push(suspect);
  }

  /** At the end of each sweep. Those that become due while it looks, or soon after, have to wait for the next one. */
  look(): void {
    const now = this.#clock.monotonicMs();
    if (this.#due.length === 0 || this.#isLooking || now < this.#nextLookAt) return;
    this.#nextLookAt = now + this.bounds.lookMs / LOOKS_IN_BETWEEN;
    const due = this.#due;
    this.#due = [];
    this.#isLooking = true;
    void this.#look(due).finally(() => {
      this.#isLooking = false;
    });
  }

  async #look(due: readonly QueueSuspect[]): Promise<void> {
    const lengths = await this.#queues.read(due.map(({ connection }) => connection));
    const now = this.#clock.monotonicMs();
    due.forEach((suspect, index) => suspect.onSendQueue(lengths[index] ?? -1, now));
  }
}
