/** Plain numbers of one HTTP server, for scraping. */
export interface HttpCounters {
  connectionsAccepted: number;
  connectionsRefused: number;
  connectionsOpen: number;
  requests: number;
  requestsInFlight: number;
  /** Attempts beyond a request's first. */
  retries: number;
  /** Repeats not made because the budget was spent. */
  retriesDenied: number;
  upstreamConnects: number;
  upstreamReuses: number;
  /** Bodies and heads, as sent to and received from clients. */
  requestBytes: number;
  responseBytes: number;
}

export function createHttpCounters(): HttpCounters {
  return {
    connectionsAccepted: 0,
    connectionsRefused: 0,
    connectionsOpen: 0,
    requests: 0,
    requestsInFlight: 0,
    retries: 0,
    retriesDenied: 0,
    upstreamConnects: 0,
    upstreamReuses: 0,
    requestBytes: 0,
    responseBytes: 0,
  };
}
