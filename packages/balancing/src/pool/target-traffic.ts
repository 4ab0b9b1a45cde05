import { LATENCY_BOUNDS_MS } from '@rollcall/contract';

/** The calls to a target in a stretch of time. */
export interface TrafficWindow {
  readonly calls: number;
  readonly failures: number;
  /** Answered calls by latency: one count for each of `LATENCY_BOUNDS_MS`, and one for what took longer. */
  readonly latencies: readonly number[];
}

const NONE: readonly number[] = Object.freeze(LATENCY_BOUNDS_MS.map(() => 0).concat(0));

/** Counts the calls to one target. Plain numbers: counting allocates nothing after the first call of a window. */
export class TargetTraffic {
  #calls = 0;
  #failures = 0;
  #latencies: number[] | undefined;

  /** A call was answered after `latencyMs`. `isFailure`: with an error of the target's, such as a 500. */
  answered(latencyMs: number, isFailure: boolean): void {
    this.#calls++;
    if (isFailure) this.#failures++;
    let i = 0;
    while (i < LATENCY_BOUNDS_MS.length && latencyMs > LATENCY_BOUNDS_MS[i]!) i++;
    (this.#latencies ??= [...NONE])[i]!++;
  }

  /** A call got no answer. */
  failed(): void {
    this.#calls++;
    this.#failures++;
  }

  /** The answer to a call that was counted already broke off. */
  broke(): void {
    this.#failures++;
  }

  /** Calls that were counted elsewhere, such as in another process. */
  add({ calls, failures, latencies }: TrafficWindow): void {
    this.#calls += calls;
    this.#failures += failures;
    const sums = (this.#latencies ??= [...NONE]);
    latencies.forEach((count, i) => (sums[i]! += count));
  }

  /** The counts since the last time; it starts anew. */
  take(): TrafficWindow {
    const window = {
      calls: this.#calls,
      // An answer of 500 may break off as well.
      failures: Math.min(this.#failures, this.#calls),
      latencies: this.#latencies ?? NONE,
    };
    this.#calls = 0;
    this.#failures = 0;
    this.#latencies = undefined;
    return window;
  }
}
