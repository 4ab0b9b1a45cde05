import type { InstancePatch, RegistrationInput } from '@rollcall/contract';
import type { RollcallError } from '../base/error.ts';

/** What an instance reports about itself, and how its registration behaves. */
export interface RegisterOptions extends Omit<
  RegistrationInput,
  'ports' | 'nonce' | 'sequence' | 'persistent' | 'check'
> {
  readonly service: string;
  /** @default the client's `namespace` */
  readonly namespace?: string;
  /** Unique within the service. @default `<host>-<pid>-<random>` */
  readonly id?: string;
  /** The only port, named `http`. Give either this or `ports`. */
  readonly port?: number;
  readonly ports?: RegistrationInput['ports'];
  /**
   * Drains and deregisters on these signals, then ends the process as the signal would; `true` = SIGTERM and SIGINT. If
   * the application listens to the signal too, it must end the process itself. A second signal ends the process at
   * once. @default false
   */
  readonly signals?: boolean | readonly NodeJS.Signals[];
  /** Options of the drain that a signal starts. @default {} */
  readonly drain?: DrainOptions;
  /** Called when a successor has taken the instance's place; the same as `on('superseded')`. */
  readonly onSuperseded?: (error: RollcallError) => void;
  /** Aborts the first registration; has no effect once registered. */
  readonly signal?: AbortSignal;
}

export interface DrainOptions {
  /** How long to wait for watchers that do not say that they have seen `draining`, in ms. @default 500 */
  readonly settleMs?: number;
  /**
   * Resolves when the instance has no work in progress. The drain waits for it before it deregisters, and also
   * deregisters when it rejects. @default with `signals`: every HTTP request at the registered ports has been answered
   */
  readonly whenIdle?: () => Promise<void>;
  /** How long to wait for `whenIdle`, in ms. @default 30000 */
  readonly idleTimeoutMs?: number;
}

/** State of a registration. */
export type LeaseState =
  /** The instance holds a lease that was renewed in time. */
  | 'held'
  /** The registry does not know the lease any more, or has not answered for a TTL; the client is registering again. */
  | 'lost'
  /** A successor has the place. Final. */
  | 'superseded'
  /** Deregistered. Final. */
  | 'released';

export interface RegistrationEvents {
  /** The lease was renewed. */
  renewed: () => void;
  /** The client can no longer rely on the lease; it keeps trying to register again. */
  lost: (error: RollcallError) => void;
  /** The instance is back on the roll, with a new lease. */
  reregistered: () => void;
  /** It begins to leave: it is announced as draining. */
  draining: () => void;
  /** A successor took the place; the client does not try again. */
  superseded: (error: RollcallError) => void;
  /** The instance left the roll at its own request. */
  released: () => void;
}

/** One instance on the roll. The client keeps it there until it is released or superseded. */
export interface Registration {
  readonly namespace: string;
  readonly service: string;
  readonly id: string;
  readonly state: LeaseState;
  /** Revision of the last write; opaque. */
  readonly revision: string;
  on<E extends keyof RegistrationEvents>(event: E, listener: RegistrationEvents[E]): () => void;
  setStatus(status: NonNullable<InstancePatch['status']>): Promise<void>;
  /**
   * Changes status, weight or labels (merged; null removes a label). Once resolved, the change also survives
   * re-registration. A rejected change is neither kept nor retried; when no response came, the registry may have
   * applied it anyway.
   */
  update(patch: InstancePatch): Promise<void>;
  /**
   * Leaves gracefully: sets status draining, gives callers time to see it, waits for work in progress, then leaves the
   * roll.
   */
  drain(options?: DrainOptions): Promise<void>;
  /**
   * Takes the instance off the roll. Rejects when no registry could be reached within 5 s; then the lease ends at its
   * TTL.
   */
  deregister(): Promise<void>;
  /** Tries to deregister for up to 2 s and never rejects. Safe to call twice. */
  close(): Promise<void>;
}
