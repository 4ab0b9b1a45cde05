import type { Clock } from '@rollcall/runtime';
import type { SendQueues } from './send-queues.ts';
import type { Connection } from './transport.ts';
import type { StallBounds } from './write-stall.ts';

/** A connection whose peer may have stopped taking bytes. */
export interface QueueSuspect {
  readonly connection: Connection;
  /** `length`: see {@link SendQueues.measure}. May come late: the suspicion may be over, or the connection closed. */
  onSendQueue(length: number, now: number): void;
}

/** Tables of many sockets are long: they are read at most this many times between two looks at the same connection. */
const LOOKS_IN_BETWEEN = 10;

/** Collects the connections that a sweep finds due, and reads the send queues of all of them at once. */
export class QueueWatch {
  /** The same object for each connection, so that new bounds apply to all of them. */
  readonly bounds: StallBounds;
  readonly #queues: SendQueues;
  readonly #clock: Clock;
  #due: QueueSuspect[] = [];
  #isLooking = false;
  #nextLookAt = Number.NEGATIVE_INFINITY;

  constructor(queues: SendQueues, clock: Clock, bounds: StallBounds) {
    this.#queues = queues;
    this.#clock = clock;
    this.bounds = { ...bounds };
  }

  configure(bounds: StallBounds): void {
    Object.assign(this.bounds, bounds);
  }

  /** Time for one look, a second one to compare with, and the sweeps between them. */
  get reprieveMs(): number {
    return this.bounds.lookMs * 3;
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  add(suspect: QueueSuspect): void {
    this.#due.push(suspect);
  }

  /** Called at the end of each sweep. Connections that become due during or soon after a look wait for the next one. */
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
    const lengths = await this.#queues.measure(due.map(({ connection }) => connection));
    const now = this.#clock.monotonicMs();
    due.forEach((suspect, index) => suspect.onSendQueue(lengths[index] ?? -1, now));
  }
}
