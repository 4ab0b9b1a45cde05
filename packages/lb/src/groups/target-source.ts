import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetGroupConfig } from '../config/schema.ts';

/** Source of a target group's targets: one service, one port. */
export interface TargetSource {
  /** The latest picture; undefined before the first. It is kept when the registry is unreachable. */
  endpoints(): readonly Endpoint[] | undefined;
  /** Milliseconds since the picture was last known to be current; Infinity before the first. */
  ageMs(): number;
  /** Explains in words why there is no picture. */
  explain(): string;
  /** Calls the listener after each change, never concurrently. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void;
  /** The settings of the group have changed; the source is still the same. */
  configure?(config: TargetGroupConfig): void;
  /** It is not needed any more. */
  close?(): void;
}
