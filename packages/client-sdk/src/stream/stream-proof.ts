/** An incomplete event that grows by less than this within the allowed time makes no progress. */
const PROGRESS_BYTES = 1_024;

/** No event of a registry is larger: 100,000 endpoints in one event take two thirds of it. */
const MAX_EVENT_BYTES = 64 * 2 ** 20;

/** One event, or everything up to the first complete picture, may take this many times the allowed silence. */
const TOTAL_RATIO = 10;

/**
 * Whether a stream is alive. Complete events prove it, including the server's pings; bytes alone and comments do not,
 * since any intermediary can send them too. A large event that takes longer proves it by growing, for a limited time.
 * Times are in ms on one monotonic clock.
 */
export class StreamProof {
  readonly #silenceMs: number;
  readonly #openedAtMs: number;
  #eventAtMs: number;
  #progressAtMs: number;
  /** Of the incomplete event. */
  #bytes = 0;
  #bytesAtProgress = 0;
  #isUp = false;

  constructor(silenceMs: number, nowMs: number) {
    this.#silenceMs = silenceMs;
    this.#openedAtMs = nowMs;
    this.#eventAtMs = nowMs;
    this.#progressAtMs = nowMs;
  }

  /** Everything wanted has arrived: its time limit no longer applies. */
  markUp(): void {
    this.#isUp = true;
  }

  event(nowMs: number): void {
    this.#eventAtMs = nowMs;
    this.#progressAtMs = nowMs;
    this.#bytes = 0;
    this.#bytesAtProgress = 0;
  }

  /** Counts bytes of everything but comments. */
  bytes(count: number, nowMs: number): void {
    this.#bytes += count;
    if (this.#bytes - this.#bytesAtProgress < PROGRESS_BYTES) return;
    this.#progressAtMs = nowMs;
    this.#bytesAtProgress = this.#bytes;
  }

  /** Why the stream is not reliable any more; undefined = it is reliable. */
  faultAt(nowMs: number): string | undefined {
    if (this.#bytes > MAX_EVENT_BYTES)
      return `an event of more than ${MAX_EVENT_BYTES / 2 ** 20} MiB`;
    if (nowMs < this.#dueMs) return undefined;
    const silentMs = Math.round(nowMs - this.#eventAtMs);
    if (this.#bytes > 0 || nowMs - this.#progressAtMs >= this.#silenceMs)
      return `no whole event for ${silentMs} ms`;
    return `no whole picture within ${Math.round(nowMs - this.#openedAtMs)} ms`;
  }

  /** When to check again, in ms from now. */
  waitMs(nowMs: number): number {
    return Math.max(this.#dueMs - nowMs, 0);
  }

  get #dueMs(): number {
    const totalMs = this.#silenceMs * TOTAL_RATIO;
    const upMs = this.#isUp ? Infinity : this.#openedAtMs + totalMs;
    return Math.min(this.#progressAtMs + this.#silenceMs, this.#eventAtMs + totalMs, upMs);
  }
}
