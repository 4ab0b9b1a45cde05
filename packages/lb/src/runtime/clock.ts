/** Time as the balancer needs it. */
export interface Clock {
  /** Monotonic, in milliseconds; only differences mean anything. */
  now(): number;
  /** Of the calendar, for people. */
  date(): Date;
}

export const systemClock: Clock = { now: () => performance.now(), date: () => new Date() };
