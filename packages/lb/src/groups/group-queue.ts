import type { NoTarget, TargetQueue, Waiter } from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import type { QueueConfig } from '../config/schema.ts';
import type { GroupSnapshot } from './group-snapshot.ts';

const FULL: NoTarget = {
  code: 'queue_full',
  detail: 'every target has as many requests as it may have, and so has the queue',
};
const TOO_LATE: NoTarget = {
  code: 'queue_timeout',
  detail: 'no target has become free for this request in time',
};

export interface QueueParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly snapshot: () => GroupSnapshot;
}

interface Place {
  readonly waiter: Waiter;
  readonly untilMs: number;
}

/** The requests that wait until a target of a group may take one more: first in, first out. */
export class GroupQueue implements TargetQueue {
  /** For requests that come from now on. */
  settings: QueueConfig;
  readonly #parts: QueueParts;
  readonly #places: Place[] = [];
  #isDue = false;

  constructor(settings: QueueConfig, parts: QueueParts) {
    this.settings = settings;
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  /** Number of requests that wait. */
  get waiting(): number {
    return this.#places.length;
  }

  join(waiter: Waiter): NoTarget | undefined {
    const { clock, snapshot } = this.#parts;
    const { length, timeoutMs } = this.settings;
    if (snapshot().isEmpty) return snapshot().explainNone();
    if (this.#places.length >= length) return FULL;
    this.#places.push({ waiter, untilMs: clock.monotonicMs() + timeoutMs });
    return undefined;
  }

  leave(waiter: Waiter): void {
    const at = this.#places.findIndex((place) => place.waiter === waiter);
    if (at !== -1) this.#places.splice(at, 1);
  }

  /** A target may have become free. Those that wait get it later: whoever freed it is not done yet. */
  wake(): void {
    if (this.#isDue || this.isEmpty) return;
    this.#isDue = true;
    queueMicrotask(() => this.#serve());
  }

  /** Must be called several times per second. */
  tick(): void {
    if (this.isEmpty) return;
    const nowMs = this.#parts.clock.monotonicMs();
    const late = this.#places.filter(({ untilMs }) => nowMs >= untilMs);
    for (const { waiter } of late) {
      this.leave(waiter);
      waiter.onWaitEnd(TOO_LATE);
    }
  }

  #serve(): void {
    this.#isDue = false;
    for (;;) {
      const first = this.#places.shift();
      if (first === undefined) return;
      if (first.waiter.onTurn()) continue;
      this.#places.unshift(first);
      return;
    }
  }
}
