import type { Endpoint } from '@rollcall/client-sdk';
import type { PassedSocket } from '@rollcall/daemon';
import type { SharedUse } from '@rollcall/dataplane';
import type { TrafficWindow } from '@rollcall/balancing';
import type { FrontConfig } from '../config/schema.ts';
import type { FrontReport } from '../front/front-report.ts';
import type { TargetChange } from '../groups/target-change.ts';
import type { HealthState } from '../health/health-status.ts';

/** What a worker knows when it starts; in the variable of its environment, as JSON. */
export interface WorkerStart {
  /** For its log, from 1. */
  readonly number: number;
  readonly logLevel: string;
  /** Name in Via, the same for all: a request that comes back to another worker comes back to this balancer. */
  readonly pseudonym: string;
  /** Those of the balancer: a listener's key depends on them. */
  readonly sockets: readonly PassedSocket[];
}

/** The variable that makes a process a worker. */
export const WORKER_VARIABLE = 'ROLLCALL_LB_WORKER';

/** The health of one target. */
export interface TargetHealth {
  readonly id: string;
  readonly state: HealthState;
  readonly detail: string;
}

/** The calls to one target since the last report. */
export interface TargetCalls {
  readonly source: number;
  readonly id: string;
  readonly inFlight: number;
  readonly window: TrafficWindow;
}

/** What a worker has done. */
export interface WorkerReport {
  readonly front: FrontReport;
  readonly calls: readonly TargetCalls[];
}

/** What the balancer asks of a worker; each gets one answer. */
export interface Questions {
  /** Resolves when the ports of removed listeners are free. */
  settle: { readonly given: undefined; readonly answer: void };
  /** Makes ready what a configuration needs. */
  prepare: { readonly given: Preparation; readonly answer: void };
  report: { readonly given: undefined; readonly answer: WorkerReport };
  /** Ends within so many milliseconds. */
  close: { readonly given: { readonly graceMs: number }; readonly answer: WorkerReport };
}

export interface Preparation {
  /** Of the configuration: later ones have higher numbers. */
  readonly version: number;
  /** The first version with the same limits for sources. */
  readonly limitsVersion: number;
  readonly config: FrontConfig;
  /** By name of the target group: where its targets come from. */
  readonly sources: Readonly<Record<string, number>>;
}

export type Question = keyof Questions;

/** What a worker is told. Messages arrive in order. */
export type ToWorker =
  | { [Q in Question]: AskedQuestion<Q> }[Question]
  /** With the socket itself. */
  | { readonly kind: 'socket'; readonly key: string }
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'undo'; readonly version: number }
  | PictureMessage
  | {
      readonly kind: 'health';
      readonly source: number;
      readonly targets: readonly TargetHealth[];
    }
  | { readonly kind: 'ticketKey'; readonly key: Uint8Array }
  /** Before anything is prepared. */
  | { readonly kind: 'cookieKey'; readonly key: Uint8Array }
  /** What the other workers have used. `version`: of the limits. */
  | { readonly kind: 'use'; readonly version: number; readonly use: SharedUse };

interface AskedQuestion<Q extends Question> {
  readonly kind: 'ask';
  readonly id: number;
  readonly question: Q;
  readonly given: Questions[Q]['given'];
}

export interface PictureMessage {
  readonly kind: 'picture';
  readonly source: number;
  /** Undefined: there is none yet. */
  readonly endpoints: readonly Endpoint[] | undefined;
  /** Why there is none. */
  readonly why: string;
}

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly message: string;
      /** The key of the configuration, if that is to blame. */
      readonly path: readonly PropertyKey[] | undefined;
    }
  /** A target was ejected, or is used again. */
  | {
      readonly kind: 'noted';
      readonly source: number;
      readonly target: string;
      readonly change: TargetChange;
    }
  /** What it has used since the last time. `version`: of the limits. */
  | { readonly kind: 'used'; readonly version: number; readonly use: SharedUse };
