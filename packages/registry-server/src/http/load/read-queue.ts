import { ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';
import { ByCaller } from './by-caller.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Time for reads per turn of the event loop, in ms: a heartbeat waits at most for this and one read. */
const TURN_MS = 10;
/** How many reads the first turn runs, and how many a turn may grow to while they are cheap. */
const FIRST_BATCH = 4;
const LARGEST_BATCH = 256;
/** How many reads of one caller may wait for their turn. */
const MOST_WAITING = 1_000;

export interface ReadQueueOptions {
  readonly clock: Clock;
  /** Limit per caller; 0 = no limit. */
  readonly maxPerSecond: number;
  readonly onRefused: () => void;
  /** Runs a callback in the next turn of the event loop. @default setImmediate */
  readonly nextTurn?: (call: () => void) => void;
}

/**
 * Runs a few reads per turn of the event loop, callers in rotation, so that heartbeats and writes run in between,
 * whatever the number and cost of the reads.
 */
export class ReadQueue {
  readonly #clock: Clock;
  readonly #nextTurn: (call: () => void) => void;
  readonly #paces: ByCaller<RateLimiter> | undefined;
  readonly #onRefused: () => void;
  /** Waiting reads by caller; the first caller is served next. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #batch = FIRST_BATCH;
  /** How many reads may still start in this turn. */
  #left = FIRST_BATCH;
  #beganMs = 0;
  #isInTurn = false;

  constructor({ clock, maxPerSecond, onRefused, nextTurn }: ReadQueueOptions) {
    this.#clock = clock;
    this.#onRefused = onRefused;
    this.#nextTurn = nextTurn ?? ((call) => void setImmediate(call));
    if (maxPerSecond > 0) {
      this.#paces = new ByCaller(() => new RateLimiter(clock, maxPerSecond, onRefused));
    }
  }

  /** Resolves when it is this read's turn. Rejects with `rate_limited` when its caller sends too many. */
  async turn(caller: string): Promise<void> {
    const retryAfterSeconds = this.#paces?.getOrCreate(caller).take();
    const own = this.#waiting.get(caller);
    if (retryAfterSeconds !== undefined || (own?.length ?? 0) >= MOST_WAITING) {
      if (retryAfterSeconds === undefined) this.#onRefused();
      const message = 'expected fewer reads in a second from one caller';
      throw new ProblemError('rate_limited', message, {
        retryAfterSeconds: retryAfterSeconds ?? 1,
      });
    }
    if (!this.#isInTurn) this.#begin();
    if (this.#left > 0 && this.#waiting.size === 0) {
      this.#left--;
      return undefined;
    }
    return new Promise((resolve) => {
      if (own === undefined) this.#waiting.set(caller, [resolve]);
      else own.push(resolve);
    });
  }

  #begin(): void {
    this.#isInTurn = true;
    this.#left = this.#batch;
    this.#beganMs = this.#clock.monotonicMs();
    this.#nextTurn(() => this.#end());
  }

  /** The reads of this turn have run: sets the size of the next turn from the time they took. */
  #end(): void {
    const begun = this.#batch - this.#left;
    const tookMs = this.#clock.monotonicMs() - this.#beganMs;
    if (tookMs > TURN_MS) this.#batch = Math.max(1, Math.floor((begun * TURN_MS) / tookMs));
    else if (begun === this.#batch) this.#batch = Math.min(LARGEST_BATCH, this.#batch * 2);
    this.#isInTurn = false;
    if (this.#waiting.size === 0) return;
    this.#begin();
    for (; this.#left > 0 && this.#waiting.size > 0; this.#left--) this.#serve();
  }

  #serve(): void {
    for (const [caller, waiting] of this.#waiting) {
      const next = waiting.shift();
      // A caller with more reads goes to the end.
      this.#waiting.delete(caller);
      if (waiting.length > 0) this.#waiting.set(caller, waiting);
      next?.();
      return;
    }
  }
}
