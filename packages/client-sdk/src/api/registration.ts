import type { InstancePatch, RegistrationInput } from '@rollcall/contract';
import type { RollcallError } from '../base/error.ts';

/** What an instance says of itself, and how its registration is to behave. */
export interface RegisterOptions extends Omit<
  RegistrationInput,
  'ports' | 'nonce' | 'persistent' | 'check'
> {
  readonly service: string;
  /** @default the client's `namespace` */
  readonly namespace?: string;
  /** Id within the service. @default `<host>-<pid>-<random>` */
  readonly id?: string;
  /** The one port, named `http`. Either this or `ports`. */
  readonly port?: number;
  readonly ports?: RegistrationInput['ports'];
  /**
   * Drain and deregister on these signals, then end as the signal would have; `true` = SIGTERM and SIGINT. An application
   * that listens to one itself is left to end itself. A second signal ends at once. @default false
   */
  readonly signals?: boolean | readonly NodeJS.Signals[];
  /** What a drain on a signal does. @default {} */
  readonly drain?: DrainOptions;
  /** Called when a successor took the instance's place; the same as `on('superseded')`. */
  readonly onSuperseded?: (error: RollcallError) => void;
  /** Gives up registering; has no effect once registered. */
  readonly signal?: AbortSignal;
}

export interface DrainOptions {
  /** How long to wait for watchers to have seen `draining`, in ms; raise it across slow networks. @default 500 */
  readonly settleMs?: number;
  /**
   * Resolves when the instance has nothing under way; the drain waits for it before it deregisters, and deregisters too
   * when it rejects. @default with `signals`: no HTTP request at the registered ports is without its answer
   */
  readonly whenIdle?: () => Promise<void>;
  /** How long to wait for `whenIdle`, in ms. @default 30000 */
  readonly idleTimeoutMs?: number;
}

/** Where a registration stands. */
export type LeaseState =
  /** Holds a lease that was renewed in time. */
  | 'held'
  /** The registry forgot the lease or has been silent for a TTL: registering again. */
  | 'lost'
  /** A successor has the place; over. */
  | 'superseded'
  /** Deregistered; over. */
  | 'released';

export interface RegistrationEvents {
  /** The lease was renewed. */
  renewed: () => void;
  /** The lease cannot be relied on; the registration goes on trying by itself. */
  lost: (error: RollcallError) => void;
  /** Back on the roll, with a new lease. */
  reregistered: () => void;
  /** A successor took the place; nothing more will be tried. */
  superseded: (error: RollcallError) => void;
  /** Off the roll by its own wish. */
  released: () => void;
}

/** One instance on the roll, kept there until it is released or superseded. */
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
   * Changes status, weight or labels (merged; null removes one). Kept over re-registrations once it resolved. One that
   * rejects is not kept and not tried again; when no answer came, the registry may have taken it all the same.
   */
  update(patch: InstancePatch): Promise<void>;
  /** Leaves politely: status draining, time for callers to see it, what is under way, then off the roll. */
  drain(options?: DrainOptions): Promise<void>;
  /** Takes the instance off the roll. Rejects when no registry could be told within 5 s: the TTL ends it then. */
  deregister(): Promise<void>;
  /** Deregisters as far as possible within 2 s and never rejects. Twice does no harm. */
  close(): Promise<void>;
}
