/** Time as the server needs it. */
export interface Clock {
  /** Monotonic, in ms; only differences mean anything. */
  now(): number;
  /** Of the calendar, for the serial of the zone. */
  date(): Date;
}

export const systemClock: Clock = { now: () => performance.now(), date: () => new Date() };
