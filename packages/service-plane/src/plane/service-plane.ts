import type { PortService, Target } from '@rollcall/dataplane';

/** An address and port that are to be served. */
export interface Frontend {
  readonly protocol: 'TCP' | 'UDP';
  readonly host: string;
  readonly port: number;
  readonly service: PortService;
}

/**
 * - `binding`: on its way
 * - `bound`: served
 * - `failed`: the system does not let it be bound; tried again
 * - `taken`: another owner has it; served as soon as that one lets go
 */
export type FrontendState = 'binding' | 'bound' | 'failed' | 'taken';

export interface FrontendStatus {
  readonly frontend: Frontend;
  readonly state: FrontendState;
  /** The system's code (EADDRINUSE, ...) when it failed, else empty. */
  readonly code: string;
  /** For people: what the system said, or who has it; empty when all is well. */
  readonly detail: string;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'AddressInUse',
  EADDRNOTAVAIL: 'AddressNotAvailable',
  EACCES: 'PermissionDenied',
  EAFNOSUPPORT: 'AddressFamilyNotSupported',
  EMFILE: 'TooManyOpenFiles',
};

/** Why a frontend is not served, in one word in CamelCase, as conditions have it. */
export function bindReasonOf({ state, code }: FrontendStatus): string {
  return state === 'taken' ? 'AddressTaken' : (REASONS[code] ?? 'BindFailed');
}

/**
 * Serves addresses of services with the targets of their groups. In user space targets are read from the groups at each
 * new connection; a plane in the kernel writes its rules at `apply`, which is therefore to be called when either the
 * frontends or the targets of an owner have changed. What has not changed costs nothing and disturbs nothing.
 */
export interface ServicePlane {
  /** For logs: which way of serving this is. */
  readonly name: string;
  /** What this owner, a service, wants served from now on, in place of what it wanted before; empty: nothing. */
  apply(owner: string, frontends: readonly Frontend[]): void;
  /** How the frontends of an owner stand, in the order in which they were applied. */
  statuses(owner: string): readonly FrontendStatus[];
  /** Lets connections on a target that has left go on for so long, then breaks them. */
  drain(target: Target, graceMs: number): void;
  /** Serves nothing new, lets connections finish for at most `graceMs`. Twice without harm. */
  close(graceMs: number): Promise<void>;
}
