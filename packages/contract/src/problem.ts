import { z } from 'zod';
import { Fault } from './manifest.ts';

interface ProblemKind {
  readonly status: number;
  /** Whether the same request may succeed later, or at another registry server. */
  readonly retryable: boolean;
  readonly title: string;
}

const kind = (status: number, retryable: boolean, title: string): ProblemKind => ({
  status,
  retryable,
  title,
});

/** All refusals of the registry, with their status. */
export const PROBLEMS = {
  invalid_request: kind(400, false, 'A field of the request is wrong'),
  malformed_json: kind(400, false, 'The body is not JSON'),
  too_many_labels: kind(400, false, 'The instance has more labels than the server allows'),
  label_too_long: kind(400, false, 'A label is longer than the server allows'),
  unauthenticated: kind(401, false, 'A valid token is needed'),
  forbidden: kind(403, false, 'The token does not cover this'),
  label_forbidden: kind(403, false, 'The token may not set this label'),
  origin_refused: kind(403, false, 'The request comes from a page of another origin'),
  address_forbidden: kind(403, false, 'The token may not register this address'),
  quota_exceeded: kind(403, false, 'The token has reached its quota'),
  route_not_found: kind(404, false, 'There is no such path'),
  service_not_found: kind(404, false, 'No such service'),
  instance_not_found: kind(404, false, 'No such instance'),
  object_not_found: kind(404, false, 'No such declared object'),
  kind_not_found: kind(404, false, 'There is no such kind of object'),
  override_not_found: kind(404, false, 'The instance has no override'),
  lease_unknown: kind(404, false, 'The registry does not know this lease: register again'),
  watch_unknown: kind(404, false, 'This server has no such watch stream: open another one'),
  method_not_allowed: kind(405, false, 'This path does not support this method'),
  request_timeout: kind(408, true, 'The request did not arrive whole in time'),
  instance_taken: kind(409, false, 'Another process holds this instance id'),
  lease_superseded: kind(409, false, 'A successor holds this instance id: do not register again'),
  registration_late: kind(409, false, 'The process gave up the id after it had sent this'),
  object_exists: kind(409, false, 'The object exists already'),
  object_changed: kind(409, false, 'The object was changed by somebody else in the meantime'),
  import_conflict: kind(409, false, 'The import does not fit what the registry has'),
  range_exhausted: kind(409, false, 'Every address or port of the range is in use'),
  body_too_large: kind(413, false, 'The body is larger than the server allows'),
  uri_too_long: kind(414, false, 'A part of the path is longer than the server allows'),
  unsupported_media_type: kind(415, false, 'This media type is not accepted here'),
  expectation_failed: kind(417, false, 'The server cannot do what the header Expect asks'),
  host_refused: kind(421, false, 'The host name in the header Host is not allowed'),
  invalid_manifest: kind(422, false, 'A manifest is wrong'),
  invalid_export: kind(422, false, 'The export is damaged, cut short or of another version'),
  service_full: kind(422, false, 'The service has the maximum number of instances'),
  rate_limited: kind(429, true, 'Too many requests from this caller'),
  headers_too_large: kind(431, false, 'The request head is larger than the server allows'),
  internal_error: kind(500, true, 'The registry failed'),
  overloaded: kind(503, true, 'This server is overloaded'),
  too_many_watches: kind(503, true, 'This server has the maximum number of open streams'),
  store_unavailable: kind(
    503,
    true,
    'The store cannot be reached: a write may or may not have happened',
  ),
  secret_sealed: kind(503, true, 'This server does not have the key of the Secret'),
  replica_behind: kind(503, true, 'This server has not yet seen the revision asked for'),
  replica_cold: kind(503, true, 'This server has not loaded the roll yet'),
  warming_up: kind(503, true, 'The store is new: instances are being given time to return'),
  shutting_down: kind(503, true, 'This server is shutting down'),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Media type of an error reply (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const codes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

/** Body of every error reply. */
export const Problem = z
  .object({
    code: z.enum(codes),
    status: z.int(),
    title: z.string(),
    retryable: z.boolean(),
    /** Path of the wrong field, e.g. `ports.http`; empty when it is not about one field. */
    field: z.string(),
    /** What was wrong, what was expected, and the value unless it is a secret. */
    detail: z.string(),
    /** The same as `detail`, for clients of version 0.1, which only know this name. */
    message: z.string(),
    /** For manifests: all faults. `detail` has them in one line. */
    faults: z.array(Fault).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof Problem>;

/** A refusal inside the server. It is converted to a {@link Problem} when it is answered. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly field: string;
  /** Seconds for a Retry-After header; undefined = the table's default. */
  readonly retryAfterSeconds: number | undefined;
  /** For manifests: all faults. */
  readonly faults: readonly Fault[] | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: {
      field?: string;
      retryAfterSeconds?: number;
      faults?: readonly Fault[];
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.field = options.field ?? '';
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.faults = options.faults;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get retryable(): boolean {
    return PROBLEMS[this.code].retryable;
  }

  toProblem(): Problem {
    const { status, retryable, title } = PROBLEMS[this.code];
    const { code, field, message, faults } = this;
    const problem = { code, status, title, retryable, field, detail: message, message };
    return faults === undefined ? problem : { ...problem, faults: [...faults] };
  }
}
