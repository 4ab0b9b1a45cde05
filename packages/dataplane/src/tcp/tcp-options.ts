/** Times are in milliseconds; one sweep checks them every 250 ms. */
export interface TcpOptions {
  /** To connect to a target; then another one is tried. Raise it for connections between continents. @default 2000 */
  readonly connectMs: number;
  /**
   * A connection is aborted after this long without bytes in either direction, and with none in transit to a
   * slow reader; 0 = never. @default 0
   */
  readonly idleMs: number;
  /** Maximum number of targets tried for one connection. @default 5 */
  readonly attempts: number;
  /**
   * Maximum number of connections; further ones are refused on arrival. Each takes two file descriptors. @default 50000
   */
  readonly connections: number;
}

export const TCP_OPTIONS: TcpOptions = Object.freeze({
  connectMs: 2_000,
  idleMs: 0,
  attempts: 5,
  connections: 50_000,
});

/** Counters of one TCP plane, for scraping. */
export interface TcpCounters {
  accepted: number;
  open: number;
  /** Refused, for any reason. */
  refused: number;
  connectFailures: number;
  bytesFromClients: number;
  bytesToClients: number;
}

export function createTcpCounters(): TcpCounters {
  return {
    accepted: 0,
    open: 0,
    refused: 0,
    connectFailures: 0,
    bytesFromClients: 0,
    bytesToClients: 0,
  };
}
