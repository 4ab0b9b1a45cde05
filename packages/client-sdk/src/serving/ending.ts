/** How a server stops without failing a request. */
export interface Ending {
  /**
   * Asks callers to leave, and resolves once none is connected any more: nothing is under way, and nothing can be on its
   * way. May never resolve: {@link cut} ends it.
   */
  leave(): Promise<void>;
  /** Closes what is still open at once. Returns how many connections that were; for gRPC 1 if there were any. */
  cut(): number;
}

/** The time that an ending needs. */
export interface EndingOptions {
  /** A connection is closed when nothing was under way on it, and nothing came, for this long, in ms. */
  readonly lingerMs: number;
}
