import type { PortService, Target } from '@rollcall/dataplane';

/** An address and port to serve. */
export interface Frontend {
  readonly protocol: 'TCP' | 'UDP';
  readonly host: string;
  readonly port: number;
  readonly service: PortService;
}

/**
 * - `binding`: being bound
 * - `bound`: served
 * - `failed`: the system refused it; retried
 * - `taken`: another owner has it; served as soon as that owner releases it
 */
export type FrontendState = 'binding' | 'bound' | 'failed' | 'taken';

export interface FrontendStatus {
  readonly frontend: Frontend;
  readonly state: FrontendState;
  /** The system's code (EADDRINUSE, ...) when it failed, else empty. */
  readonly code: string;
  /** For people: the system's message, or the other owner; empty when there is no fault. */
  readonly detail: string;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'AddressInUse',
  EADDRNOTAVAIL: 'AddressNotAvailable',
  EACCES: 'PermissionDenied',
  EAFNOSUPPORT: 'AddressFamilyNotSupported',
  EMFILE: 'TooManyOpenFiles',
};

/** Why a frontend is not served, as the CamelCase reason of a condition. */
export function bindReasonOf({ state, code }: FrontendStatus): string {
  return state === 'taken' ? 'AddressTaken' : (REASONS[code] ?? 'BindFailed');
}

/**
 * Serves addresses of services with the targets of their groups. A userspace plane reads the targets at each new
 * connection. A kernel plane would write its rules in `apply`, so call that when either the frontends or the targets of
 * an owner have changed. Unchanged frontends cost nothing and are not disturbed.
 */
export interface ServicePlane {
  /** Name of the implementation, for logs. */
  readonly name: string;
  /** Replaces the frontends of an owner (a service); empty = serve nothing. */
  setFrontends(owner: string, frontends: readonly Frontend[]): void;
  /** The states of an owner's frontends, in the order in which they were applied. */
  statuses(owner: string): readonly FrontendStatus[];
  /** Lets connections to a removed target go on for `graceMs`, then breaks them. */
  drain(target: Target, graceMs: number): void;
  /** Accepts nothing new, and lets connections finish for at most `graceMs`. May be called twice. */
  close(graceMs: number): Promise<void>;
}
