/** State of a client connection. */
export const ClientState = {
  /** Between requests, or inside a head. */
  head: 0,
  body: 1,
  /** The request is complete, the response is not. */
  wait: 2,
  tunnel: 3,
  /** FIN sent; bytes that still arrive are discarded, so that no RST destroys the last response in transit. */
  linger: 4,
  closed: 5,
} as const;
