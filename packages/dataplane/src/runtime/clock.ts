/** Monotonic time in milliseconds; only differences mean anything. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => performance.now() };
