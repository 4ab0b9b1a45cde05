/** Plain numbers that the hot path increments; metrics read them at each scrape. */
export interface Counters {
  udpQueries: number;
  tcpQueries: number;
  /** Answers sent, by response code 0 to 15; includes those of forwarded queries. */
  readonly rcodes: Float64Array;
  truncated: number;
  /** Packets that get no answer: too short, or responses themselves. */
  dropped: number;
  /** Queries that were told to use TCP because their address sent too many. */
  limited: number;
  /** Internal faults while answering; the client got SERVFAIL. */
  faults: number;
  sendErrors: number;
  forwarded: number;
  forwardTimeouts: number;
  /** Not forwarded because too many queries were in progress. */
  forwardRefusals: number;
  tcpConnections: number;
  tcpConnectionsAccepted: number;
  tcpConnectionsRefused: number;
  /** Closed to make room for other connections. */
  tcpConnectionsEvicted: number;
}

const RCODES = 16;

export function createCounters(): Counters {
  return {
    udpQueries: 0,
    tcpQueries: 0,
    rcodes: new Float64Array(RCODES),
    truncated: 0,
    dropped: 0,
    limited: 0,
    faults: 0,
    sendErrors: 0,
    forwarded: 0,
    forwardTimeouts: 0,
    forwardRefusals: 0,
    tcpConnections: 0,
    tcpConnectionsAccepted: 0,
    tcpConnectionsRefused: 0,
    tcpConnectionsEvicted: 0,
  };
}
