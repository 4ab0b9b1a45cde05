import { guarded } from '../base/guard.ts';
import type { Runtime } from '../base/runtime.ts';

/** A response whose body is paused until its caller reads on. */
export interface Unread {
  abort(reason: Error): void;
}

/** Checks per `limitMs`. */
const LOOKS = 4;

/**
 * Aborts responses whose callers have stopped reading: each occupies a connection, and a pool full of them blocks every
 * other call. One timer serves all of them, and none runs while there are none.
 */
export class UnreadBodies {
  readonly #runtime: Runtime;
  readonly #limitMs: number;
  readonly #create: (unreadMs: number) => Error;
  readonly #since = new Map<Unread, number>();
  #isLooking = false;

  /** `limitMs`: 0 = no limit. */
  constructor(runtime: Runtime, limitMs: number, create: (unreadMs: number) => Error) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
    this.#create = create;
  }

  add(unread: Unread): void {
    if (this.#limitMs === 0 || this.#since.has(unread)) return;
    this.#since.set(unread, this.#runtime.monotonicMs());
    if (!this.#isLooking) this.#lookSoon();
  }

  delete(unread: Unread): void {
    this.#since.delete(unread);
  }

  #lookSoon(): void {
    this.#isLooking = true;
    this.#runtime.after(this.#limitMs / LOOKS, () => this.#lookAtAll());
  }

  #lookAtAll(): void {
    const nowMs = this.#runtime.monotonicMs();
    this.#isLooking = false;
    for (const [unread, sinceMs] of this.#since) {
      if (nowMs - sinceMs < this.#limitMs) continue;
      this.#since.delete(unread);
      guarded(this.#runtime, 'ending an unread answer', () =>
        unread.abort(this.#create(nowMs - sinceMs)),
      );
    }
    if (this.#since.size > 0) this.#lookSoon();
  }
}
