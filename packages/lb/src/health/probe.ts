export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

export interface ProbeResult {
  readonly isGood: boolean;
  /** For people: the status code, or what went wrong. */
  readonly detail: string;
  /** This machine could not ask: that says nothing about the target. */
  readonly isLocalFault?: true;
}

/** One health check of one address. Resolves always: what goes wrong is a result. */
export interface Probe {
  check(address: ProbeAddress): Promise<ProbeResult>;
}
