import type { Clock } from '@rollcall/runtime';
import { TokenBucket } from './token-bucket.ts';

/** The longest time that a caller is asked to stay away, in seconds. */
const LONGEST_SECONDS = 30;

/**
 * Tells refused callers when to come back. Each gets the place behind those refused before, so that they return no
 * faster than they are let in, however many they are. StreamSlots are not kept: a caller that comes late loses nothing.
 */
export class RetryAfterQueue {
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
  takePlace(): number {
    const nowMs = this.#clock.monotonicMs();
    const served = ((nowMs - this.#atMs) * this.#perSecond) / 1_000;
    this.#atMs = nowMs;
    this.#waiting = Math.max(0, this.#waiting - served);
    const seconds = 1 + Math.floor(this.#waiting / this.#perSecond);
    // A caller that retries too early takes another place each time, so a longer queue consists of such repeats.
    this.#waiting = Math.min(this.#waiting + 1, LONGEST_SECONDS * this.#perSecond);
    return Math.min(seconds, LONGEST_SECONDS);
  }

  /** Whether its state equals that of a new queue. */
  get isIdle(): boolean {
    const waitedMs = this.#clock.monotonicMs() - this.#atMs;
    return this.#waiting <= (waitedMs * this.#perSecond) / 1_000;
  }
}

/** A rate limit: some requests per second, one second's worth at once, and a return time for those beyond. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #queue: RetryAfterQueue;
  readonly #onRefused: () => void;

  /** `onRefused` is called for each request that is asked to come back. */
  constructor(clock: Clock, perSecond: number, onRefused: () => void) {
    this.#clock = clock;
    this.#onRefused = onRefused;
    this.#bucket = new TokenBucket({ perSecond, most: perSecond }, clock.monotonicMs());
    this.#queue = new RetryAfterQueue(clock, perSecond);
  }

  /** Undefined = go on; else the seconds after which to come back. `cost` counts as that many requests. */
  take(cost = 1): number | undefined {
    if (this.#bucket.take(this.#clock.monotonicMs(), cost)) return undefined;
    this.#onRefused();
    return this.#queue.takePlace();
  }

  /** Whether it can be dropped. */
  get isIdle(): boolean {
    return this.#bucket.isFull(this.#clock.monotonicMs()) && this.#queue.isIdle;
  }
}
