import { type Fault, type ProblemCode, PROBLEMS } from '@rollcall/contract';

/** What fails on this side of the wire: code -> whether the same call may succeed later. */
export const CLIENT_FAULTS = {
  /** An option is wrong; the message names it. */
  invalid_options: false,
  /** A URL's host is not `<service>.<suffix>` or `<service>.<namespace>.<suffix>`. */
  invalid_host: false,
  /** No registry server could be reached in a round over all urls. */
  registry_unreachable: true,
  /** Something between here and the registry answered, or the registry answered what it never should. */
  registry_garbled: true,
  /** Nobody can be called at the moment; the message says how old the picture is and why. */
  no_endpoints: true,
  /** No connection came about with any endpoint tried: nothing was sent. */
  connect_failed: true,
  /** The request may have reached an instance, and no answer came. */
  response_lost: false,
  /** A successor has this instance's place on the roll. */
  superseded: false,
  /** The client, service or registration was closed. */
  closed: false,
} as const satisfies Record<string, boolean>;

export type RollcallErrorCode = ProblemCode | keyof typeof CLIENT_FAULTS;

export interface RollcallErrorDetails {
  /** Path of the field that is wrong; empty by default. */
  readonly field?: string;
  /** How long the registry asked to wait, in ms. */
  readonly retryAfterMs?: number;
  readonly mayHaveBeenProcessed?: boolean;
  /** Of manifests: everything that is wrong. */
  readonly faults?: readonly Fault[];
  readonly cause?: unknown;
}

/** Everything that the SDK rejects with, save an abort (that rejects with the signal's reason). */
export class RollcallError extends Error {
  override readonly name = 'RollcallError';
  readonly code: RollcallErrorCode;
  /** Path of the field that is wrong, e.g. `ports.http`; empty when no one field is. */
  readonly field: string;
  /** How long the registry asked to wait, in ms; undefined when it did not. */
  readonly retryAfterMs: number | undefined;
  /** True when an instance may have acted on the request although no answer came: do not blindly repeat it. */
  readonly mayHaveBeenProcessed: boolean;
  /** Of manifests: everything that is wrong; empty otherwise. */
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
