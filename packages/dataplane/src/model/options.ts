/** All in milliseconds. One sweep checks them, so each may be late by up to half a second. */
export interface HttpTimeouts {
  /** From an accepted connection to the end of its TLS handshake; then it is reset. @default 10000 */
  readonly handshakeMs: number;
  /**
   * From a connection's or request's first byte to its complete head; then 408. Lower it
   * against slow senders. @default 10000
   */
  readonly clientHeadMs: number;
  /** Between two reads of a request body; then 408. @default 30000 */
  readonly clientBodyIdleMs: number;
  /**
   * Idle time after which a client connection is closed. Keep it above that of a proxy in front
   * of the balancer. @default 75000
   */
  readonly clientKeepAliveMs: number;
  /**
   * A peer, on either side, that takes no bytes for this long is disconnected before twice that time has
   * passed; one that takes some, however slowly, never is. Where the system does not report it (all but Linux),
   * ten times as long. @default 30000
   */
  readonly writeStallMs: number;
  /**
   * How long a client that sent FIN may wait for the first byte of its response. Raise it for clients that
   * half-close on purpose. @default 5000
   */
  readonly halfCloseMs: number;
  /**
   * Silence after which a connection is closed after its last response. Bytes that still arrive are discarded, for at
   * most 15 times as long, so that the client can read the response. @default 2000
   */
  readonly lingerMs: number;
  /** To connect to a target, with its TLS handshake; then the next target is tried. @default 2000 */
  readonly connectMs: number;
  /**
   * From the moment when the target's system has taken the complete request to the response
   * head; then 504. @default 60000
   */
  readonly responseMs: number;
  /** Between two reads of a response body; then it is cut off. @default 60000 */
  readonly responseIdleMs: number;
  /**
   * Idle time after which an unused connection to a target is closed. Keep it below the targets' own limit; a target's
   * `Keep-Alive: timeout=` is respected anyway. @default 4000
   */
  readonly upstreamIdleMs: number;
  /**
   * From a request's complete head to the end of its answer, however steadily both go on; then 504, or the connection
   * ends if the answer has begun. 0: no limit. WebSockets have none. @default 0
   */
  readonly requestMs: number;
  /**
   * A WebSocket is closed after this long without bytes in either direction, and with none in transit to
   * a slow reader. @default 600000
   */
  readonly tunnelIdleMs: number;
}

export const HTTP_TIMEOUTS: HttpTimeouts = Object.freeze({
  handshakeMs: 10_000,
  clientHeadMs: 10_000,
  clientBodyIdleMs: 30_000,
  clientKeepAliveMs: 75_000,
  writeStallMs: 30_000,
  halfCloseMs: 5_000,
  lingerMs: 2_000,
  connectMs: 2_000,
  responseMs: 60_000,
  responseIdleMs: 60_000,
  requestMs: 0,
  upstreamIdleMs: 4_000,
  tunnelIdleMs: 600_000,
});

export interface HttpLimits {
  /** Size of a request or response head; beyond it 431 (or 502). @default 32768 */
  readonly headBytes: number;
  /** Number of fields in a head; beyond it 431 (or 502). @default 128 */
  readonly fieldCount: number;
  /**
   * Bytes of a request body that are kept so that an idempotent request can be sent again. 0: only
   * requests without body. @default 65536
   */
  readonly replayBytes: number;
  /**
   * Bytes of a request body that are taken whole before a target is used, so that slow senders occupy no target; of a
   * larger body, as many. 0: it is passed on as it comes. @default 0
   */
  readonly collectBytes: number;
  /** Maximum number of targets tried for one request. @default 3 */
  readonly attempts: number;
  /** Maximum number of unused connections kept per target. @default 128 */
  readonly idlePerTarget: number;
  /** Maximum number of client connections; further ones are closed on arrival. @default 20000 */
  readonly clientConnections: number;
  /**
   * Maximum number of client connections from one source: an IPv4 address, or an IPv6 network of 64 bits. Further ones
   * are closed on arrival. 0: no limit. Behind another proxy all clients are one source. @default 0
   */
  readonly sourceConnections: number;
  /** Requests per second of one source, twice as many at once; beyond them 429. 0: no limit. @default 0 */
  readonly sourceRequestsPerSecond: number;
  /**
   * Bytes per second of one source, of requests and answers together; beyond them its connections wait. 0: no limit.
   * @default 0
   */
  readonly sourceBytesPerSecond: number;
  /**
   * Maximum number of TLS handshakes in progress at one listener, but not more than half of `clientConnections`; at the
   * limit, a slow one is given up for a new one, or the new one is refused. @default 1000
   */
  readonly handshakes: number;
  /** Retries after a broken response, as a share of requests. Lower it to shed load sooner. @default 0.2 */
  readonly retryRatio: number;
  /** Retries that are always available, for when one failing target affects many requests. @default 1000 */
  readonly retryReserve: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  headBytes: 32_768,
  fieldCount: 128,
  replayBytes: 65_536,
  collectBytes: 0,
  attempts: 3,
  idlePerTarget: 128,
  clientConnections: 20_000,
  sourceConnections: 0,
  sourceRequestsPerSecond: 0,
  sourceBytesPerSecond: 0,
  handshakes: 1_000,
  retryRatio: 0.2,
  retryReserve: 1_000,
});
