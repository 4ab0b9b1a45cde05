import { RollcallError } from '../base/error.ts';
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

const parts = new WeakMap<object, LeavingParts>();

/** Called once by each registration. */
export function setLeaving(registration: object, own: LeavingParts): void {
  parts.set(registration, own);
}

/** Throws a {@link RollcallError} `invalid_options` for anything but a registration of this copy of the package. */
export function leavingOf(registration: object): LeavingParts {
  const own = parts.get(registration);
  if (own !== undefined) return own;
  throw new RollcallError(
    'invalid_options',
    'option registration: expected what register() of the same copy of @rollcall/client-sdk resolved with',
    { field: 'registration' },
  );
}
