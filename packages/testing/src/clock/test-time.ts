import { type Runtime, RollcallError } from '@rollcall/client-sdk';
import { type Clock, systemClock } from '@rollcall/runtime';
import { ManualClock } from '@rollcall/runtime/testing';
import type { Activity } from './activity.ts';

/** How often an end is looked for while time is wound on, in ms of that time. */
const WIND_MS = 10;

/** The time that a registry lives in: that of the machine, or one that stands still until a test turns it. */
export interface TestTime {
  readonly clock: Clock;
  /** For clients that live in the same time. */
  readonly runtime: Partial<Runtime>;
  /** Lets time pass, and resolves when everything that fell due is done. */
  turn(ms: number): Promise<void>;
  /** Resolves when the work is done, and lets as much time pass as it needs. Never rejects. */
  finish(work: Promise<unknown>): Promise<void>;
}

export const REAL_TIME: TestTime = {
  clock: systemClock,
  runtime: {},
  async turn() {
    throw new RollcallError(
      'invalid_options',
      "option clock: expected 'manual' to turn it, got 'real': start the registry with clock: 'manual', or wait with until()",
      { field: 'clock' },
    );
  },
  async finish(work) {
    await Promise.allSettled([work]);
  },
};

/** Time that stands still. Registry, test instances and the clients that are given its runtime share it. */
export class ManualTime implements TestTime {
  readonly clock = new ManualClock();
  readonly runtime: Partial<Runtime>;
  readonly #activity: Activity;
  #turning: Promise<void> = Promise.resolve();

  constructor(activity: Activity) {
    this.#activity = activity;
    const { clock } = this;
    this.runtime = {
      monotonicMs: () => clock.monotonicMs(),
      after: (ms, call) => clock.after(ms, call),
    };
  }

  turn(ms: number): Promise<void> {
    this.#turning = this.#turning.then(() => this.#turn(ms));
    return this.#turning;
  }

  async finish(work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const ended = Promise.allSettled([work]).then(() => over.abort());
    await this.#activity.settled();
    while (!over.signal.aborted) await this.turn(WIND_MS);
    await ended;
  }

  /**
   * One timer after the other, each with all that follows from it: a heartbeat that falls due is answered before the
   * next moment, as it would be in real time. Otherwise every lease would end in one long moment.
   */
  async #turn(ms: number): Promise<void> {
    await this.#activity.settled();
    let leftMs = ms;
    for (;;) {
      const { nextDueMs = Infinity } = this.clock;
      const stepMs = Math.min(nextDueMs, leftMs);
      this.clock.advance(stepMs);
      leftMs -= stepMs;
      await this.#activity.settled();
      if (leftMs <= 0 && (this.clock.nextDueMs ?? Infinity) > 0) return;
    }
  }
}
