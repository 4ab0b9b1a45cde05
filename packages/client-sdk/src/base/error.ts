import { type Fault, type ProblemCode, PROBLEMS } from '@rollcall/contract';

/** Failures that arise in the client itself: code -> whether the same call may succeed later. */
export const CLIENT_FAULTS = {
  /** An option is wrong; the message names it. */
  invalid_options: false,
  /** A URL's host is not `<service>.<suffix>` or `<service>.<namespace>.<suffix>`. */
  invalid_host: false,
  /** No registry server could be reached in one round over all URLs. */
  registry_unreachable: true,
  /** Something between client and registry answered, or the registry sent an invalid response. */
  registry_garbled: true,
  /** No endpoint can be called at the moment; the message tells the age of the picture and why the watch is down. */
  no_endpoints: true,
  /** No connection to any of the tried endpoints could be made: nothing was sent. */
  connect_failed: true,
  /** The request may have reached an instance, but no response came. */
  response_lost: false,
  /** The time limit of a call, or of a wait, is over; the message tells what it waited for. */
  timeout: false,
  /** A successor has this instance's place on the roll. */
  superseded: false,
  /** The client, service or registration was closed. */
  closed: false,
} as const satisfies Record<string, boolean>;

export type RollcallErrorCode = ProblemCode | keyof typeof CLIENT_FAULTS;

export interface RollcallErrorDetails {
  /** Path of the wrong field; empty by default. */
  readonly field?: string;
  /** How long the registry asked the client to wait, in ms. */
  readonly retryAfterMs?: number;
  readonly mayHaveBeenProcessed?: boolean;
  /** For manifests: everything that is wrong. */
  readonly faults?: readonly Fault[];
  readonly cause?: unknown;
}

/** Every rejection of the SDK, except an abort (which rejects with the signal's reason). */
export class RollcallError extends Error {
  override readonly name = 'RollcallError';
  readonly code: RollcallErrorCode;
  /** Path of the wrong field, e.g. `ports.http`; empty when the error is not about one field. */
  readonly field: string;
  /** How long the registry asked the client to wait, in ms; undefined when it did not ask. */
  readonly retryAfterMs: number | undefined;
  /** True when an instance may have processed the request although no response came: do not repeat it blindly. */
  readonly mayHaveBeenProcessed: boolean;
  /** For manifests: everything that is wrong; empty otherwise. */
  readonly faults: readonly Fault[];

  constructor(code: RollcallErrorCode, message: string, details: RollcallErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.field = details.field ?? '';
    this.retryAfterMs = details.retryAfterMs;
    this.faults = details.faults ?? [];
    this.mayHaveBeenProcessed = details.mayHaveBeenProcessed ?? false;
  }

  /** Whether the same call may succeed later, or elsewhere. */
  get retryable(): boolean {
    return this.code in PROBLEMS
      ? PROBLEMS[this.code as ProblemCode].retryable
      : CLIENT_FAULTS[this.code as keyof typeof CLIENT_FAULTS];
  }
}
