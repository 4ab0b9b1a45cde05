/**
 * What a run of the system did, as those saw it who took part. All times are ms on one monotonic clock that the caller
 * gives: `atMs` when it was over or seen, `invokedMs` when it began.
 */
export type Happening =
  | ProcessHappening
  | LeaseHappening
  | Seen
  | PickHappening
  | RequestHappening
  | ExecutedHappening
  | TallyHappening
  | FaultHappening;

export type Promised = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8';

/** The life of a process that is, or wants to be, an instance. */
export interface ProcessHappening {
  readonly kind: 'process';
  readonly atMs: number;
  readonly service: string;
  readonly instance: string;
  /** Tells processes apart that have the same instance id one after another. @default the instance id */
  readonly process?: string;
  /**
   * `killed`: its connections end with it. `stopped`: it does nothing and says nothing (SIGSTOP, a host that is cut off)
   * until `continued`. `left`: it deregistered and ended.
   */
  readonly what: 'started' | 'killed' | 'stopped' | 'continued' | 'left';
}

/** One call about a lease that the store has answered; calls without an answer are not told. */
export interface LeaseHappening {
  readonly kind: 'lease';
  readonly invokedMs: number;
  readonly atMs: number;
  readonly instance: string;
  readonly lease: string;
  readonly what: 'granted' | 'renewed' | 'changed' | 'released' | 'unknown' | 'superseded';
  readonly ttlMs: number;
  /** Of the process that asked. */
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
  /** Identity of the store's memory, where the watcher knows it. */
  readonly epoch?: string;
  /** `grace`: the watcher's own clock took something out, nothing was sent. */
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
  /** Its number among those whose executions are told. */
  readonly serial?: string;
  /** How often it was sent, where the caller knows. */
  readonly attempts?: number;
}

/** An instance did what a request asked for. */
interface ExecutedHappening {
  readonly kind: 'executed';
  readonly atMs: number;
  readonly instance: string;
  readonly serial: string;
}

/** What a caller has counted since it began. */
export interface TallyHappening {
  readonly kind: 'tally';
  readonly atMs: number;
  readonly caller: string;
  readonly calls: number;
  readonly retries: number;
}

/** Something was broken, or is whole again. */
export interface FaultHappening {
  readonly kind: 'fault';
  readonly atMs: number;
  readonly what: 'begin' | 'end';
  /** Pairs a begin with its end. */
  readonly name: string;
  /**
   * Who cannot do its part meanwhile: `store`, `registry`, ids of instances (cannot renew, or cannot be reached), names of
   * watchers and callers. Read at the begin. Empty = something that nobody should notice.
   */
  readonly breaks?: readonly string[];
}
