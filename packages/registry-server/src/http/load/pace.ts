import type { Clock } from '@rollcall/runtime';
import { TokenBucket } from './token-bucket.ts';

/** Nobody is asked to stay away for longer, in seconds. */
const LONGEST_SECONDS = 30;

/**
 * Tells those who are refused when to come back: each gets the place behind those refused before, so that they come no
 * faster than they are let in, however many they are. Nobody's place is kept; who comes late loses nothing.
 */
export class ReturnQueue {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #waiting = 0;
  #atMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#atMs = clock.monotonicMs();
  }

  /** Takes the next place: whole seconds from now. */
  next(): number {
    const nowMs = this.#clock.monotonicMs();
    const served = ((nowMs - this.#atMs) * this.#perSecond) / 1_000;
    this.#atMs = nowMs;
    this.#waiting = Math.max(0, this.#waiting - served);
    const seconds = 1 + Math.floor(this.#waiting / this.#perSecond);
    // Who tries again and again takes a place each time; a line longer than anybody is asked to wait is made of these.
    this.#waiting = Math.min(this.#waiting + 1, LONGEST_SECONDS * this.#perSecond);
    return Math.min(seconds, LONGEST_SECONDS);
  }

  /** Whether it is as if nobody had ever been refused. */
  get isIdle(): boolean {
    const waitedMs = this.#clock.monotonicMs() - this.#atMs;
    return this.#waiting <= (waitedMs * this.#perSecond) / 1_000;
  }
}

/** So many a second, a second's worth at once, and a time to come back for those beyond. */
export class Pace {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #queue: ReturnQueue;
  readonly #onRefused: () => void;

  /** `onRefused` is called for each who is asked to come back. */
  constructor(clock: Clock, perSecond: number, onRefused: () => void) {
    this.#clock = clock;
    this.#onRefused = onRefused;
    this.#bucket = new TokenBucket({ perSecond, most: perSecond }, clock.monotonicMs());
    this.#queue = new ReturnQueue(clock, perSecond);
  }

  /** Undefined = go on; else the seconds after which to come back. `cost` is what it takes of a second's worth. */
  take(cost = 1): number | undefined {
    if (this.#bucket.take(this.#clock.monotonicMs(), cost)) return undefined;
    this.#onRefused();
    return this.#queue.next();
  }

  /** Whether it may be forgotten. */
  get isIdle(): boolean {
    return this.#bucket.isFull(this.#clock.monotonicMs()) && this.#queue.isIdle;
  }
}
