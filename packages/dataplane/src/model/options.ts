/** All in milliseconds, kept by one sweep, so each may be late by up to half a second. */
export interface HttpTimeouts {
  /** From a connection's or request's first byte to its complete head; then 408. Lower it against slow senders. @default 10000 */
  readonly clientHeadMs: number;
  /** Between two reads of a request body; then 408. @default 30000 */
  readonly clientBodyIdleMs: number;
  /** An idle client connection is closed. Keep it above what stands in front of the balancer. @default 75000 */
  readonly clientKeepAliveMs: number;
  /**
   * A peer that takes no bytes for so long is cut off, on either side, before twice that time is over; one that takes
   * some, however slowly, never. Where the system does not tell (all but Linux), ten times as long. @default 30000
   */
  readonly writeStallMs: number;
  /** How long a client that sent FIN may still wait for the first byte of its answer. Raise it for clients that half-close on purpose. @default 5000 */
  readonly halfCloseMs: number;
  /** Silence after which a connection is closed behind its last answer. Bytes that still come are swallowed, for 15 times as long at most, so that the client gets to read it. @default 2000 */
  readonly lingerMs: number;
  /** To connect to a target; then the next target is tried. @default 2000 */
  readonly connectMs: number;
  /** From the whole request taken by the target's system to the answer's head; then 504. @default 60000 */
  readonly responseMs: number;
  /** Between two reads of an answer's body; then it is cut off. @default 60000 */
  readonly responseIdleMs: number;
  /**
   * An unused connection to a target is closed. Keep it below the targets' own limit; one that says
   * `Keep-Alive: timeout=` is obeyed anyway. @default 4000
   */
  readonly upstreamIdleMs: number;
  /** A WebSocket without bytes in either direction, none on their way to a slow reader among them, is closed. @default 600000 */
  readonly tunnelIdleMs: number;
}

export const HTTP_TIMEOUTS: HttpTimeouts = Object.freeze({
  clientHeadMs: 10_000,
  clientBodyIdleMs: 30_000,
  clientKeepAliveMs: 75_000,
  writeStallMs: 30_000,
  halfCloseMs: 5_000,
  lingerMs: 2_000,
  connectMs: 2_000,
  responseMs: 60_000,
  responseIdleMs: 60_000,
  upstreamIdleMs: 4_000,
  tunnelIdleMs: 600_000,
});

export interface HttpLimits {
  /** Size of a request's or an answer's head; beyond it 431 (or 502). @default 32768 */
  readonly headBytes: number;
  /** Fields in a head; beyond it 431 (or 502). @default 128 */
  readonly fieldCount: number;
  /** Request body kept so that an idempotent request can be sent again. 0: only requests without body. @default 65536 */
  readonly replayBytes: number;
  /** Targets tried for one request. @default 3 */
  readonly attempts: number;
  /** Unused connections kept for each target. @default 128 */
  readonly idlePerTarget: number;
  /** Client connections at once; more are closed on arrival. @default 20000 */
  readonly clientConnections: number;
  /** Repeats after a broken answer, as a share of requests. Lower it to shed sooner. @default 0.2 */
  readonly retryRatio: number;
  /** Repeats that are always there, for when one target takes many requests down with it. @default 1000 */
  readonly retryReserve: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  headBytes: 32_768,
  fieldCount: 128,
  replayBytes: 65_536,
  attempts: 3,
  idlePerTarget: 128,
  clientConnections: 20_000,
  retryRatio: 0.2,
  retryReserve: 1_000,
});
