/** Where the system does not tell how much it still holds, only a whole buffer taken shows: that may take long. */
const BLIND_FACTOR = 10;

/**
 * - `sent`: the peer has all that it was sent
 * - `taking`: it took some since the last look
 * - `waiting`: not seen to take anything, but not for long enough
 * - `stalled`: it took nothing for as long as the bound
 */
export type PeerProgress = 'sent' | 'taking' | 'waiting' | 'stalled';

export interface StallBounds {
  /** A peer that takes nothing for so long, and up to two looks more, has stalled. */
  readonly boundMs: number;
  /** Between two looks at what the system still holds. */
  readonly lookMs: number;
}

/**
 * Tells a slow peer from one that takes nothing. The system says that a connection can be written to only when a good
 * part of megabytes has drained, which takes a slow peer minutes; so its send queue is looked at.
 */
export class WriteStall {
  /** When to look next; 0: nothing is waited for. */
  lookAt = 0;
  readonly #bounds: StallBounds;
  #lastLength = -1;
  #lastTakenAt = 0;

  constructor(bounds: StallBounds) {
    this.#bounds = bounds;
  }

  /** Bytes are waiting to be taken from now on. */
  start(now: number): void {
    this.#lastLength = -1;
    this.#lastTakenAt = now;
    this.postpone(now);
  }

  postpone(now: number): void {
    this.lookAt = now + this.#bounds.lookMs;
  }

  /** `length`: what the system holds now; -1: not known. */
  note(length: number, now: number): PeerProgress {
    const { boundMs, lookMs } = this.#bounds;
    const silentMs = now - this.#lastTakenAt;
    if (length === -1) return silentMs >= boundMs * BLIND_FACTOR ? 'stalled' : 'waiting';
    const isFirst = this.#lastLength === -1;
    // A queue that grew says the same as one that shrank: room was made for what had to wait outside.
    if (length === this.#lastLength && length > 0) {
      // A receiver opens its window in steps, so a slow one may be silent for a while.
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
