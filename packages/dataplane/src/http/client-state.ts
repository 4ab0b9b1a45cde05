/** Where a client's connection stands. */
export const ClientState = {
  /** Between requests, or inside a head. */
  head: 0,
  body: 1,
  /** The request is complete, the answer is not. */
  wait: 2,
  tunnel: 3,
  /** FIN sent; what still comes is swallowed, so that no RST destroys the last answer on its way. */
  linger: 4,
  closed: 5,
} as const;
