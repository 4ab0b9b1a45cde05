/** What one source has done. */
export interface SourceUse {
  /** Its address, or the part of it that counts. */
  readonly name: string;
  /** Open now. */
  readonly connections: number;
  /** Since the last time. */
  readonly requests: number;
  /** Since the last time. */
  readonly bytes: number;
}

/** What a process has used of the limits that it shares with others, as plain data. */
export interface SharedUse {
  /** Client connections open now. */
  readonly connections: number;
  /** Those that have done anything since the last time; empty when no source is limited. */
  readonly sources: readonly SourceUse[];
}
