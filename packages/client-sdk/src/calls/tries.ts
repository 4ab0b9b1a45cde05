import type { EndpointChannel } from './endpoint-channel.ts';
import { isRefusal } from './request-fault.ts';

/** How a try failed. */
export interface TryFailure {
  readonly error: Error;
  /** The head of its answer had come, or it was given up before: it is counted already. */
  readonly isCounted: boolean;
}

/**
 * A refused connection costs almost no time and has no effect. When half of a service dies at once, a call may skip
 * this many refusing endpoints per allowed try.
 */
const REFUSALS_PER_TRY = 4;

/** The tries of one call that failed, by whatever way it is made. */
export class Tries {
  readonly channels: EndpointChannel[] = [];
  readonly #maxTries: number;
  /** Tries that used a connection or took time. */
  #costly = 0;

  constructor(maxTries: number) {
    this.#maxTries = maxTries;
  }

  get count(): number {
    return this.channels.length;
  }

  /** A try failed. `wasStarted`: the request had a connection. */
  note(channel: EndpointChannel, error: Error, wasStarted: boolean): void {
    this.channels.push(channel);
    if (wasStarted || !isRefusal(error)) this.#costly++;
  }

  /** Whether there may be no other try. */
  get isEnough(): boolean {
    return this.#costly >= this.#maxTries || this.count >= this.#maxTries * REFUSALS_PER_TRY;
  }

  /** Whether the next try is the last one, after others that used a connection or took time. */
  get isNextLast(): boolean {
    return this.#costly > 1 && this.#costly === this.#maxTries - 1;
  }
}
