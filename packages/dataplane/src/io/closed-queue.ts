import { afterwards } from './handle-bindings.ts';

/** Something that was closed, and is to be told so. */
interface Closed {
  onClosed(): void;
}

/**
 * Tells what was closed in a turn of the event loop, after it: one callback for all. A callback of the system for each
 * takes longer than closing it.
 */
export class ClosedQueue {
  #waiting: Closed[] = [];

  add(closed: Closed): void {
    this.#waiting.push(closed);
    if (this.#waiting.length === 1) afterwards(() => this.#tell());
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const closed of waiting) closed.onClosed();
  }
}
