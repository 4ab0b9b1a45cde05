import type { Endpoint } from '@rollcall/client-sdk';

/** Where a target group learns of its targets: one service, one port. */
export interface TargetSource {
  /** The latest picture; undefined before the first. It survives the loss of the registry. */
  endpoints(): readonly Endpoint[] | undefined;
  /** Milliseconds since the picture was last known to be current; Infinity before the first. */
  ageMs(): number;
  /** Why there is no picture, for people. */
  explain(): string;
  /** Calls back after each change, never concurrently. Returns what ends it. */
  onChange(listener: () => void): () => void;
}
