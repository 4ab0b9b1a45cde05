/**
 * Where the system does not report how much it still holds, only a completely taken buffer shows progress, which may
 * take long: multiplies the time limit.
 */
const BLIND_FACTOR = 10;

/**
 * - `sent`: the peer has taken all bytes sent to it
 * - `taking`: it took some since the last look
 * - `waiting`: it was not seen taking any, but not for long enough
 * - `stalled`: it took nothing for the full time limit
 */
export type PeerProgress = 'sent' | 'taking' | 'waiting' | 'stalled';

export interface StallBounds {
  /** A peer that takes nothing for this long, plus up to two looks, has stalled. */
  readonly boundMs: number;
  /** Time between two looks at what the system still holds. */
  readonly lookMs: number;
}

/**
 * Distinguishes a slow peer from one that takes nothing. The system reports a connection as writable only after a large
 * part of several megabytes has drained, which takes minutes for a slow peer; so this class looks at the send queue.
 */
export class WriteStall {
  /** When to look next; 0 = nothing is waiting. */
  lookAt = 0;
  readonly #bounds: StallBounds;
  #lastLength = -1;
  #lastTakenAt = 0;

  constructor(bounds: StallBounds) {
    this.#bounds = bounds;
  }

  /** Bytes are waiting to be taken from now on. */
  watch(now: number): void {
    this.#lastLength = -1;
    this.#lastTakenAt = now;
    this.postpone(now);
  }

  postpone(now: number): void {
    this.lookAt = now + this.#bounds.lookMs;
  }

  /** `length`: bytes that the system holds now; -1 = unknown. */
  judge(length: number, now: number): PeerProgress {
    const { boundMs, lookMs } = this.#bounds;
    const silentMs = now - this.#lastTakenAt;
    if (length === -1) return silentMs >= boundMs * BLIND_FACTOR ? 'stalled' : 'waiting';
    const isFirst = this.#lastLength === -1;
    // A queue that grew means the same as one that shrank: the peer made room for bytes that were waiting outside.
    if (length === this.#lastLength && length > 0) {
      // A receiver opens its window in steps, so a slow one may show no progress for a while.
      return silentMs >= boundMs + lookMs ? 'stalled' : 'waiting';
    }
    this.#lastLength = length;
    if (length === 0) {
      this.#lastTakenAt = now;
      return 'sent';
    }
    if (isFirst) return 'waiting';
    this.#lastTakenAt = now;
    return 'taking';
  }
}
