import { REQUEST_POLICIES } from '@rollcall/balancing';
import { z } from 'zod';
import { isFieldName } from './field-names.ts';
import { flag, integer, label, ms, object, ratio, text } from './fields.ts';
import { NamedTargets, WrittenTarget } from './source-schema.ts';
import { parseStatusCodes } from './status-codes.ts';
import { TargetTls } from './tls-schema.ts';

function statusCodes(example: string) {
  const error = `expected status codes like ${example}`;
  return z.string({ error }).refine((codes) => parseStatusCodes(codes) !== undefined, { error });
}

const HealthCheck = object({
  /** Whether targets are checked. @default true */
  enabled: flag.default(true),
  /** Path of the GET request. @default / */
  path: z
    .string({ error: 'expected a path' })
    .regex(/^\/[!-"$-~]*$/, { error: 'expected a path that begins with /' })
    .default('/'),
  /** Another port of the instance. @default the port that takes the traffic */
  port: integer(1, 65_535, 'a port').optional(),
  /**
   * Time between two checks of a target. Lower it to notice faults sooner, which costs the targets more. @default 10000
   */
  intervalMs: ms(10).default(10_000),
  /** Timeout for the complete response. @default 5000 */
  timeoutMs: ms().default(5_000),
  /** Consecutive successful checks after which an unhealthy target is healthy. @default 2 */
  healthyThreshold: integer(1, 100).default(2),
  /** Consecutive failed checks after which a target is unhealthy. @default 2 */
  unhealthyThreshold: integer(1, 100).default(2),
  /** Status codes of a successful check, e.g. `200-299,301`. @default 200-299 */
  codes: statusCodes('200-299,301').default('200-299'),
});

/** Also for services of type LoadBalancer. */
export const ejection = {
  /** Whether a 5xx response is a failed attempt. @default true */
  serverErrors: flag.default(true),
  /**
   * Consecutive failed attempts that eject a target: no response, or a 5xx. A failed
   * connect ejects it at once. @default 5
   */
  failuresInARow: integer(1, 1_000).default(5),
  /** Length of the first ejection; each repeat doubles it. @default 1000 */
  baseMs: ms().default(1_000),
  /** Longest ejection. @default 30000 */
  maxMs: ms().default(30_000),
  /** Share of the targets that may be ejected at the same time; at least one always stays. @default 0.5 */
  maxEjectedRatio: ratio.default(0.5),
};

const SuccessRate = object({
  /** Requests that a target must have had in the window to be compared. @default 100 */
  minRequests: integer(1, 1_000_000).default(100),
  /** How many standard deviations below the mean ejects a target; lower values eject sooner. @default 1.9 */
  factor: z
    .number({ error: 'expected a number from 0.1 to 100' })
    .min(0.1, { error: 'expected a number from 0.1 to 100' })
    .max(100, { error: 'expected a number from 0.1 to 100' })
    .default(1.9),
  /** Length of the window, at the end of which targets are compared. @default 10000 */
  windowMs: ms(100).default(10_000),
  /** Targets that must have had so many requests; with fewer of them nothing is compared. @default 5 */
  minTargets: integer(3, 10_000).default(5),
});

const GroupEjection = object({
  ...ejection,
  /**
   * Ejects a target whose share of good answers is far below that of the others, though it never fails in a row. 5xx
   * are failures, as by `serverErrors`. @default targets are not compared
   */
  successRate: SuccessRate.optional(),
});

export const Stickiness = object({
  /**
   * By what a client is known: `cookie`, one that the balancer sets and signs; `source`, its address; or a mapping with
   * `cookie`, one that the application sets, or `header`. The last two choose targets by a hash, and `policy` does not
   * matter then. @default cookie
   */
  by: z
    .union(
      [
        z.enum(['cookie', 'source']),
        object({ cookie: text('the name of a cookie') }),
        object({ header: text('the name of a header field') }),
      ],
      { error: 'expected cookie, source, or a mapping with cookie or header' },
    )
    .default('cookie'),
  /** Name of the cookie that the balancer sets; the name of the target group follows it. @default rollcall */
  cookie: text('the name of a cookie')
    .refine(isFieldName, { error: 'expected the name of a cookie' })
    .default('rollcall'),
  /** How long that cookie lasts, in ms; 0: until the browser ends. @default 3600000 */
  maxAgeMs: ms(0).default(3_600_000),
});

const Retry = object({
  /** Status codes, e.g. `502-504,429`. */
  codes: statusCodes('502-504,429'),
  /** Maximum number of targets tried before such an answer is passed on. @default limits.attempts */
  attempts: integer(2, 100).optional(),
});

const Queue = object({
  /** Maximum number of requests that wait; further ones get 503 `queue_full`. @default 0 */
  length: integer(0, 100_000).default(0),
  /** Longest wait; then 503 `queue_timeout`. @default 5000 */
  timeoutMs: ms().default(5_000),
});

/** Where the targets of a group come from: at least one of these. */
export const SOURCES = ['service', 'targets', 'dns'] as const;

export const TargetGroup = object({
  /** Service in the registry. A group has at least one of `service`, `targets` and `dns`, or several of them. */
  service: label('the name of a service').optional(),
  /** Targets that are written here. */
  targets: z
    .array(WrittenTarget, { error: 'expected a list of targets' })
    .min(1, { error: 'expected at least one target' })
    .optional(),
  /** Targets whose addresses DNS knows. */
  dns: NamedTargets.optional(),
  /** Its namespace. @default default */
  namespace: label('a namespace').default('default'),
  /** Its named port. @default http, else the first */
  port: label('the name of a port').optional(),
  /** How requests are distributed. @default round-robin */
  policy: z
    .enum(REQUEST_POLICIES, { error: `expected one of ${REQUEST_POLICIES.join(', ')}` })
    .default('round-robin'),
  /** Protocol of the targets, also for health checks. @default http */
  scheme: z.enum(['http', 'https'], { error: 'expected http or https' }).default('http'),
  /** TLS to the targets, with scheme https. */
  tls: TargetTls.prefault({}),
  /** Absent: the registry's state is enough. */
  healthCheck: HealthCheck.optional(),
  /**
   * Answers of a target that are not passed on: an idempotent request is tried on another target, within the retry
   * budget. @default every answer is passed on
   */
  retry: Retry.optional(),
  /**
   * Requests go to unhealthy targets too when the share of healthy ones is below this: the few would not bear all of
   * them. @default 0: only when none is healthy
   */
  failOpenBelow: ratio.default(0),
  /**
   * Targets of the balancer's `zone` come first; those of other zones get requests when these are full or were tried.
   * @default false
   */
  preferZone: flag.default(false),
  /** Zones do not matter while a smaller share of the targets in the balancer's zone is healthy. @default 0.7 */
  zoneSpillBelow: ratio.default(0.7),
  /** A client gets the same target again, while that one takes requests. @default each request is distributed anew */
  stickiness: Stickiness.optional(),
  /**
   * How long a target's weight grows from a tenth to the whole when it is new, or used again after it was unhealthy or
   * ejected. Not for the first targets of a group, nor with policies that ignore weights. @default 0
   */
  slowStartMs: ms(0).default(0),
  /** A target with so many requests in progress gets no others. With `workers`: of each worker. @default any number */
  maxRequestsPerTarget: integer(1, 1_000_000).optional(),
  /** Where requests wait while every target has `maxRequestsPerTarget`: first in, first out. */
  queue: Queue.prefault({}),
  /** Time that requests in progress get when their target leaves. @default 30000 */
  deregistrationDelayMs: ms(0).default(30_000),
  /** Ejection of targets that do not answer. */
  ejection: GroupEjection.prefault({}),
})
  // For editors; the program says it with its place.
  .meta({ anyOf: SOURCES.map((key) => ({ required: [key] })) });
