/** State of an exchange. */
export const Phase = {
  idle: 0,
  connecting: 1,
  /** The request is sent or being sent; nothing of the final response has been forwarded. */
  waiting: 2,
  responding: 3,
  /** Everything is written, but the client has not taken it all yet. */
  flushing: 4,
  tunnel: 5,
  /** The body is taken before a target is used. */
  collecting: 6,
  /** What to do with the request is not known yet. */
  deciding: 7,
  /** It waits for a target. */
  queued: 8,
} as const;
