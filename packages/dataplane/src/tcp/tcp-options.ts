/** All in milliseconds, kept by one sweep every 250 ms. */
export interface TcpOptions {
  /** To connect to a target; then another one is tried. Raise it across continents. @default 2000 */
  readonly connectMs: number;
  /** A connection without bytes in either direction, none on their way to a slow reader among them, is broken; 0: never. @default 0 */
  readonly idleMs: number;
  /** Targets tried for one connection. @default 5 */
  readonly attempts: number;
  /** Connections at once; more are turned away on arrival. Two file descriptors each. @default 50000 */
  readonly connections: number;
}

export const TCP_OPTIONS: TcpOptions = Object.freeze({
  connectMs: 2_000,
  idleMs: 0,
  attempts: 5,
  connections: 50_000,
});

/** Plain numbers of one TCP plane, for scraping. */
export interface TcpCounters {
  accepted: number;
  open: number;
  /** Turned away, for whatever reason. */
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
