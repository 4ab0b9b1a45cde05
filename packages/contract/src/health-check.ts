import { z } from 'zod';
import { PortName } from './names.ts';

const Timing = {
  /** Time between two checks, in ms, 500 to 300000. */
  intervalMs: z.int().min(500).max(300_000).default(10_000),
  /** How long one check may take, in ms; usually less than the interval. */
  timeoutMs: z.int().min(50).max(60_000).default(2_000),
  /** Passes in a row before a failing instance is up again. */
  healthyThreshold: z.int().min(1).max(100).default(2),
  /** Failures in a row before an instance is down. */
  unhealthyThreshold: z.int().min(1).max(100).default(3),
  /** The named port to check. @default `http`, else the first one */
  port: PortName.optional(),
};

/** How the registry checks whether a persistent instance is up. */
export const HealthCheck = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('http'),
        path: z.string().startsWith('/').max(2_048).default('/'),
        /** Lowest and highest status code that counts as a pass. */
        codes: z.tuple([z.int().min(100).max(599), z.int().min(100).max(599)]).default([200, 299]),
        ...Timing,
      }),
      z.strictObject({ type: z.literal('tcp'), ...Timing }),
    ],
    { error: "expected the type 'http' or 'tcp'" },
  )
  .meta({ id: 'HealthCheck' });
export type HealthCheck = z.output<typeof HealthCheck>;
