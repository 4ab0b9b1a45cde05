/** Where an exchange stands. */
export const Phase = {
  idle: 0,
  connecting: 1,
  /** Request sent or being sent; nothing of the final answer passed on. */
  waiting: 2,
  responding: 3,
  /** All is written; the client has not taken it yet. */
  flushing: 4,
  tunnel: 5,
} as const;
