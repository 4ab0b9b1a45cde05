import { inside } from '../base/inside.ts';
import type { Runtime } from '../base/runtime.ts';

/** What serves the calls of an instance. */
export interface Served {
  /** Resolves when no call is under way, after the callers know that it leaves. */
  end(): Promise<void>;
}

/** What is used of a registration beside its public part. */
export interface LeavingParts {
  readonly runtime: Runtime;
  /** Its drain ends this before the instance leaves the roll. */
  readonly attach: (served: Served) => void;
}

/** Of a registration. */
export const [setLeaving, leavingOf] = inside<LeavingParts>(
  'registration',
  'a registration by register()',
);
