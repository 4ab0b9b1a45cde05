export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

export interface ProbeResult {
  readonly isGood: boolean;
  /** Readable text: the status code, or the error. */
  readonly detail: string;
  /** The check failed on this machine: ignore `isGood`, it says nothing about the target. */
  readonly isLocalFault?: true;
}

/** Checks one address per call. Always resolves: a failure is a result. */
export interface Probe {
  probe(address: ProbeAddress): Promise<ProbeResult>;
}
