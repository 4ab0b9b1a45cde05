/** Checked by one sweep per second. */
export interface UdpOptions {
  /**
   * Time without datagrams in either direction after which a flow ends, in ms. Raise it for callers that stay
   * silent for longer. @default 30000
   */
  readonly idleMs: number;
  /**
   * Maximum number of flows; each takes a file descriptor. At the limit, the flow that has been silent for longest
   * makes room; when all are busy, the new client's datagrams are dropped. @default 10000
   */
  readonly flows: number;
}

export const UDP_OPTIONS: UdpOptions = Object.freeze({ idleMs: 30_000, flows: 10_000 });

/** Counters of one UDP plane, for scraping. */
export interface UdpCounters {
  flows: number;
  flowsStarted: number;
  datagramsFromClients: number;
  datagramsToClients: number;
  /** Datagrams without a target, beyond the limit or not admitted. */
  dropped: number;
  connectFailures: number;
}

export function createUdpCounters(): UdpCounters {
  return {
    flows: 0,
    flowsStarted: 0,
    datagramsFromClients: 0,
    datagramsToClients: 0,
    dropped: 0,
    connectFailures: 0,
  };
}
