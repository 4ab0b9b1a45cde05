/** A stream whose event in the making grows by less than this in the time allowed makes no progress. */
const PROGRESS_BYTES = 1_024;

/** No event of a registry is larger: 100,000 endpoints in one are two thirds of it. */
const MAX_EVENT_BYTES = 64 * 2 ** 20;

/** How many times the silence that is allowed one event may take, or all up to the first whole picture. */
const TOTAL_RATIO = 10;

/**
 * Whether a stream is alive. What proves it are whole events, the pings of the server among them: bytes alone and
 * comments are said by anything in between too. An event that is large enough to take longer proves it by growing, for a
 * while. Times in ms on any one monotonic clock.
 */
export class StreamProof {
  readonly #silenceMs: number;
  readonly #openedAtMs: number;
  #eventAtMs: number;
  #progressAtMs: number;
  /** Of the event that is coming in. */
  #bytes = 0;
  #bytesAtProgress = 0;
  #isUp = false;

  constructor(silenceMs: number, nowMs: number) {
    this.#silenceMs = silenceMs;
    this.#openedAtMs = nowMs;
    this.#eventAtMs = nowMs;
    this.#progressAtMs = nowMs;
  }

  /** All that was wanted has come: the time for that no longer counts. */
  up(): void {
    this.#isUp = true;
  }

  event(nowMs: number): void {
    this.#eventAtMs = nowMs;
    this.#progressAtMs = nowMs;
    this.#bytes = 0;
    this.#bytesAtProgress = 0;
  }

  /** Of anything but comments. */
  bytes(count: number, nowMs: number): void {
    this.#bytes += count;
    if (this.#bytes - this.#bytesAtProgress < PROGRESS_BYTES) return;
    this.#progressAtMs = nowMs;
    this.#bytesAtProgress = this.#bytes;
  }

  /** Why the stream is not to be relied on any more; undefined = it is. */
  faultAt(nowMs: number): string | undefined {
    if (this.#bytes > MAX_EVENT_BYTES)
      return `an event of more than ${MAX_EVENT_BYTES / 2 ** 20} MiB`;
    if (nowMs < this.#dueMs) return undefined;
    const silentMs = Math.round(nowMs - this.#eventAtMs);
    if (this.#bytes > 0 || nowMs - this.#progressAtMs >= this.#silenceMs)
      return `no whole event for ${silentMs} ms`;
    return `no whole picture within ${Math.round(nowMs - this.#openedAtMs)} ms`;
  }

  /** When to look again, in ms from now. */
  waitMs(nowMs: number): number {
    return Math.max(this.#dueMs - nowMs, 0);
  }

  get #dueMs(): number {
    const totalMs = this.#silenceMs * TOTAL_RATIO;
    const upMs = this.#isUp ? Infinity : this.#openedAtMs + totalMs;
    return Math.min(this.#progressAtMs + this.#silenceMs, this.#eventAtMs + totalMs, upMs);
  }
}
