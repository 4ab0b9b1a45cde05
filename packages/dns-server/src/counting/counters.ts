/** Plain numbers that the hot path counts up; metrics read them when somebody scrapes. */
export interface Counters {
  udpQueries: number;
  tcpQueries: number;
  /** Answers sent, by response code 0 to 15; those of forwarded queries included. */
  readonly rcodes: Float64Array;
  truncated: number;
  /** Packets that deserve no answer: too short, or answers themselves. */
  dropped: number;
  /** Queries that were told to come over TCP, their address having asked too often. */
  limited: number;
  /** Faults of this server while answering; SERVFAIL was said. */
  faults: number;
  sendErrors: number;
  forwarded: number;
  forwardTimeouts: number;
  /** Not forwarded: too many were under way. */
  forwardRefusals: number;
  tcpConnections: number;
  tcpConnectionsAccepted: number;
  tcpConnectionsRefused: number;
  /** Closed to make room for others. */
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
