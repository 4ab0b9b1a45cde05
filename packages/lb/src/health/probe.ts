export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

export interface ProbeResult {
  readonly isGood: boolean;
  /** Readable text: the status code, or the error. */
  readonly detail: string;
  /** This machine could not send the check, which says nothing about the target. */
  readonly isLocalFault?: true;
}

/** One health check of one address. Always resolves: a failure is a result. */
export interface Probe {
  probe(address: ProbeAddress): Promise<ProbeResult>;
}
