/** Counters of one HTTP server, for scraping. */
export interface HttpCounters {
  connectionsAccepted: number;
  connectionsRefused: number;
  connectionsOpen: number;
  requests: number;
  requestsInFlight: number;
  /** Attempts after the first attempt of a request. */
  retries: number;
  /** Retries that were not made because the budget was empty. */
  retriesDenied: number;
  upstreamConnects: number;
  upstreamReuses: number;
  /** Bytes of heads and bodies, as received from and sent to clients. */
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
