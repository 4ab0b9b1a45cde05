import type { Endpoint } from '@rollcall/contract';
import { z } from 'zod';
import { durationMs } from './option-kinds.ts';

/** Longest time limit of a call, in ms. */
const HOUR_MS = 3_600_000;
const EXPECTED_CODE = 'expected a list of statuses, 400 to 599';
const EXPECTED_ENDPOINT =
  'expected labels and a zone that the endpoint must have, or a function that tells whether it may be called';

const Backoff = z
  .strictObject({
    /** Longest pause before the first further try, in ms; it doubles from try to try. @default 50 */
    minMs: durationMs(0, 60_000).optional(),
    /** Longest pause of all, in ms. A `Retry-After` of the answer is waited for up to this, too. @default 1000 */
    maxMs: durationMs(0, 60_000).optional(),
  })
  .refine(({ minMs = 0, maxMs = Infinity }) => minMs <= maxMs, {
    error: 'expected a minMs that is not above maxMs',
  });

const Retry = z.strictObject({
  /** Tries after the first one, whatever ended it; 0 = none. @default the client's `maxTries` less one */
  times: z.int().min(0).max(99).optional(),
  /**
   * Statuses whose answer is dropped in favour of another try, if the call may be repeated. The answer of the last try
   * is the caller's, whatever its status. @default [502, 503, 504]
   */
  on: z
    .array(z.int({ error: EXPECTED_CODE }).min(400, EXPECTED_CODE).max(599, EXPECTED_CODE), {
      error: EXPECTED_CODE,
    })
    .optional(),
  /**
   * Pause before a try that follows an answer with such a status: random, from 0 up to a limit that doubles from try to
   * try. @default { minMs: 50, maxMs: 1000 }
   */
  backoff: Backoff.optional(),
});

/** What the calls of a client, of a service, or one call may have. */
export const CALL_LIMITS = {
  /**
   * Time limit of a whole call in ms, until the last byte of its answer has been read, with all its tries, pauses and the
   * wait for an endpoint; 0 = none. It ends with the error `timeout`. @default 0
   */
  timeoutMs: durationMs(0, HOUR_MS).optional(),
  /**
   * Time limit of one try in ms, from the choice of its endpoint until the head of its answer; 0 = none. The try is given
   * up then and counts as a failure of its endpoint. A call that may be repeated goes to another endpoint; any other
   * fails with `response_lost`. @default 0
   */
  tryTimeoutMs: durationMs(0, HOUR_MS).optional(),
  /** Another try after an answer such as 503. Off while it is not given. @default none */
  retry: Retry.optional(),
} as const;

const Filter = z.strictObject({
  labels: z.record(z.string(), z.string({ error: 'expected a text' })).optional(),
  zone: z.string().min(1, 'expected the name of a zone, not an empty text').optional(),
});

const SETTINGS = {
  ...CALL_LIMITS,
  /** How long to wait for an endpoint when there is none, in ms. @default the client's `noEndpointWaitMs` */
  waitMs: durationMs(0, HOUR_MS).optional(),
  /** Whether the call may be sent again although an instance may have processed it. @default by its method */
  idempotent: z.boolean({ error: 'expected true or false' }).optional(),
} as const;

// Two schemas, so that a fault within a filter is named by its path.
const WithFilter = z.strictObject({ ...SETTINGS, endpoint: Filter.optional() });
const WithFunction = z.strictObject({
  ...SETTINGS,
  endpoint: z.custom<(endpoint: Endpoint) => boolean>((given) => typeof given === 'function', {
    error: EXPECTED_ENDPOINT,
  }),
});

/** The schema for the options of one call, by the kind of their filter. */
export const settingsSchema = (endpoint: unknown) =>
  endpoint === undefined || (typeof endpoint === 'object' && endpoint !== null)
    ? WithFilter
    : WithFunction;

/** Names of the options of a call. */
export const SETTING_NAMES: readonly string[] = Object.freeze(Object.keys(WithFilter.shape));

export type RetryOptions = z.input<typeof Retry>;
export type CallLimits = z.output<z.ZodObject<typeof CALL_LIMITS>>;
export type ParsedSettings = z.output<ReturnType<typeof settingsSchema>>;

/** Which endpoints may be called: those with all the labels and in the zone, or those for which a function says true. */
export type EndpointFilter =
  | {
      readonly labels?: Readonly<Record<string, string>> | undefined;
      readonly zone?: string | undefined;
    }
  | ((endpoint: Endpoint) => boolean);

/** Options of one call. What is not given is as the service has it, else the client. */
export interface CallSettings extends z.input<z.ZodObject<typeof SETTINGS>> {
  /** Which endpoints may be called. @default all */
  readonly endpoint?: EndpointFilter | undefined;
}
