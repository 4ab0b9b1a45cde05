import type { DelayLimit, LoopDelay } from './loop-delay.ts';
import { Refusals } from './refusals.ts';

/**
 * What is refused first under overload: reads and new watches, then writes, and last the requests that keep an instance
 * on the roll or remove it, since a registry that refuses heartbeats evicts live instances. `always`: never refused.
 */
export type Priority = 'always' | 'vital' | 'write' | 'read';

type Shed = Exclude<Priority, 'always'>;

/** How many times the limit each priority may use. */
const SHARES: Readonly<Record<Shed, number>> = { read: 1, write: 2, vital: 4 };

export interface LoadLimits {
  /** Requests under way; 0 = no limit. */
  readonly maxRequestsInFlight: number;
  /** Standing delay of the event loop, in ms; 0 = no limit. */
  readonly maxLoopDelayMs: number;
}

/** One admitted request. It is under way until its answer is sent and its work is done, whichever comes last. */
export class Turn {
  readonly #onOver: () => void;
  #isOpen = true;
  #isWorking = false;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** The handler starts. It goes on even if the caller hangs up. */
  start(): void {
    this.#isWorking = true;
  }

  finish(): void {
    this.#isWorking = false;
    if (!this.#isOpen) this.#onOver();
  }

  /** The answer is sent, or the caller is gone. */
  close(): void {
    this.#isOpen = false;
    if (!this.#isWorking) this.#onOver();
  }
}

/** Decides, before a token or a body is looked at, whether there is room for a request. */
export class LoadGate {
  readonly refusals = new Refusals();
  readonly #maxInFlight: number;
  readonly #delay: LoopDelay;
  readonly #delayLimits: Readonly<Record<Shed, DelayLimit>> | undefined;
  readonly #onOver = () => {
    this.#inFlight--;
  };
  #inFlight = 0;

  constructor({ maxRequestsInFlight, maxLoopDelayMs }: LoadLimits, delay: LoopDelay) {
    this.#maxInFlight = maxRequestsInFlight === 0 ? Infinity : maxRequestsInFlight;
    this.#delay = delay;
    if (maxLoopDelayMs === 0) return;
    const limit = (priority: Shed) => delay.limit(maxLoopDelayMs * SHARES[priority]);
    this.#delayLimits = { read: limit('read'), write: limit('write'), vital: limit('vital') };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get loopDelayMs(): number {
    return this.#delay.standingMs;
  }

  /** Whether to refuse a request of this priority now. Counts the refusal. */
  refuses(priority: Priority): boolean {
    if (priority === 'always') return false;
    if (this.#delayLimits?.[priority].isOver === true) this.refusals.count('loop_delay');
    else if (this.#inFlight >= this.#maxInFlight * SHARES[priority]) {
      this.refusals.count('requests_in_flight');
    } else return false;
    return true;
  }

  enter(): Turn {
    this.#inFlight++;
    return new Turn(this.#onOver);
  }
}
