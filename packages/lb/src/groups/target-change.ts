import type { TargetState } from './group-target.ts';

/** Something that happened to a target: it was added or removed, or has another state. */
export interface TargetChange {
  /** Unix time, in ms. */
  readonly atMs: number;
  readonly event: 'added' | TargetState | 'removed';
  /** Readable text that names the source. */
  readonly reason: string;
  /** Number of the worker that noticed it; absent: the balancer itself did. */
  readonly worker?: number | undefined;
}
