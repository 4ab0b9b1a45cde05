import { z } from 'zod';
import { ServiceName } from './names.ts';

/** Ten steps for each power of ten (the preferred numbers R10 of ISO 3): a latency is known to an eighth of itself. */
const STEPS = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8];

/** Upper bounds of the latency buckets in ms, 1 to 80000; one bucket more counts what took longer than all of them. */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze(
  [1, 10, 100, 1_000, 10_000].flatMap((power) => STEPS.map((step) => step * power)),
);

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;
const EndpointId = z
  .string()
  .min(1, { error: 'expected the id of an endpoint' })
  .max(300, { error: 'expected the id of an endpoint, at most 300 characters' });
/** The sum over all reports that a server keeps stays a whole number. */
const MAX_COUNT = 1_000_000_000;
const COUNT_EXPECTED = { error: `expected a count, 0 to ${MAX_COUNT}` };
const count = () => z.int(COUNT_EXPECTED).min(0, COUNT_EXPECTED).max(MAX_COUNT, COUNT_EXPECTED);
const durationMs = (from: number, to: number) => {
  const error = `expected whole milliseconds, ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};

/** Most endpoints of one report: it fits into the smallest usual limit of a body. */
export const MAX_REPORTED = 2_000;

/** What one caller saw of one endpoint in its window. */
export const EndpointTraffic = z
  .strictObject({
    /** The service that was called. */
    service: ServiceName,
    /** Id of the endpoint, as a watch shows it. */
    endpoint: EndpointId,
    /** Calls that ended in the window. */
    calls: count(),
    /** Those of them that were answered with 500 or above, or not at all. */
    failures: count(),
    /** Calls under way now. */
    inFlight: count(),
    /** Answered calls by the time until the head of the answer: one count for each of the latency buckets. */
    latencies: z.array(count()).length(BUCKETS, { error: `expected ${BUCKETS} counts` }),
  })
  .meta({ id: 'EndpointTraffic' });
export type EndpointTraffic = z.output<typeof EndpointTraffic>;

/** One caller's calls to the endpoints of a namespace; it replaces the previous report of the same caller. */
export const TrafficReport = z
  .strictObject({
    /** Length of the window in which the calls were counted, in ms. */
    windowMs: durationMs(10, 3_600_000),
    /** How long the report counts unless it is replaced, in ms. */
    forMs: durationMs(1_000, 3_600_000).default(30_000),
    endpoints: z.array(EndpointTraffic).max(MAX_REPORTED),
  })
  .meta({ id: 'TrafficReport' });
export type TrafficReport = z.output<typeof TrafficReport>;

/** The calls to one endpoint, over all callers that report to a server. */
export const EndpointLoad = z
  .object({
    namespace: z.string(),
    service: z.string(),
    endpoint: z.string(),
    /** Number of callers that report calls to it. */
    callers: z.int(),
    callsPerSecond: z.number(),
    failuresPerSecond: z.number(),
    inFlight: z.int(),
    /** Answered calls per second in each of the latency buckets. */
    latencies: z.array(z.number()),
  })
  .meta({ id: 'EndpointLoad' });
export type EndpointLoad = z.output<typeof EndpointLoad>;

/** Reply to reading the traffic: what callers reported to this server. */
export const TrafficView = z
  .object({
    /** Identifies the server's process: two addresses may lead to the same server. */
    server: z.string(),
    endpoints: z.array(EndpointLoad),
  })
  .meta({ id: 'TrafficView' });
export type TrafficView = z.output<typeof TrafficView>;
