/**
 * What happened in a run of the system, as its participants saw it. All times are in ms on one monotonic clock of the
 * caller: `atMs` when it was finished or seen, `invokedMs` when it started.
 */
export type HistoryEvent =
  | ProcessHappening
  | LeaseHappening
  | Seen
  | PickHappening
  | RequestHappening
  | ExecutedHappening
  | TallyHappening
  | FaultHappening;

export type Promised = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8';

/** The life of a process that is, or tries to be, an instance. */
export interface ProcessHappening {
  readonly kind: 'process';
  readonly atMs: number;
  readonly service: string;
  readonly instance: string;
  /** Distinguishes processes that use the same instance id one after another. @default the instance id */
  readonly process?: string;
  /**
   * `killed`: its connections end with it. `stopped`: it does nothing and sends nothing (SIGSTOP, a disconnected host)
   * until `continued`. `left`: it deregistered and ended.
   */
  readonly what: 'started' | 'killed' | 'stopped' | 'continued' | 'left';
}

/** One call about a lease that the store has answered; calls without a response are not recorded. */
export interface LeaseHappening {
  readonly kind: 'lease';
  readonly invokedMs: number;
  readonly atMs: number;
  readonly instance: string;
  readonly lease: string;
  readonly what: 'granted' | 'renewed' | 'changed' | 'released' | 'unknown' | 'superseded';
  readonly ttlMs: number;
  /** Nonce of the calling process. */
  readonly nonce: string;
}

interface SeenEndpoint {
  readonly instance: string;
  readonly tier: 0 | 1 | null;
}

/** A picture of a service that a watcher held from this moment on. */
export interface Seen {
  readonly kind: 'seen';
  readonly atMs: number;
  readonly watcher: string;
  readonly service: string;
  /** Decimal digits. */
  readonly revision: string;
  /** Identity of the store's memory, if the watcher knows it. */
  readonly epoch?: string;
  /** `grace`: the watcher itself removed something when its grace period ended; nothing was sent. */
  readonly cause: 'snapshot' | 'change' | 'relist' | 'grace';
  readonly endpoints: readonly SeenEndpoint[];
}

/** An instance was chosen for a call. */
export interface PickHappening {
  readonly kind: 'pick';
  readonly atMs: number;
  readonly caller: string;
  readonly instance: string;
}

export interface RequestHappening {
  readonly kind: 'request';
  readonly invokedMs: number;
  readonly atMs: number;
  readonly caller: string;
  readonly isIdempotent: boolean;
  /** The instance that answered. */
  readonly answeredBy?: string;
  /** Why it failed, when it did. */
  readonly failed?: string;
  /** Its number, if its executions are recorded. */
  readonly serial?: string;
  /** How often it was sent, if the caller knows. */
  readonly attempts?: number;
}

/** An instance executed a request. */
interface ExecutedHappening {
  readonly kind: 'executed';
  readonly atMs: number;
  readonly instance: string;
  readonly serial: string;
}

/** The caller's counts since it started. */
export interface TallyHappening {
  readonly kind: 'tally';
  readonly atMs: number;
  readonly caller: string;
  readonly calls: number;
  readonly retries: number;
}

/** A fault started or ended. */
export interface FaultHappening {
  readonly kind: 'fault';
  readonly atMs: number;
  readonly what: 'begin' | 'end';
  /** The same for the start and the end of a fault. */
  readonly name: string;
  /**
   * The parts that do not work meanwhile: `store`, `registry`, ids of instances (cannot renew, or cannot be reached),
   * names of watchers and callers. Read from the `begin`. Empty = a disturbance that nobody should notice.
   */
  readonly breaks?: readonly string[];
}
