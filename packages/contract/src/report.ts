import { z } from 'zod';

const Word = z.string().regex(/^[A-Za-z]([-A-Za-z0-9._/]{0,62}[A-Za-z0-9])?$/, {
  error: "expected 1 to 64 letters, digits, '-', '.', '_' or '/'",
});

/** Name of a reporter: one data plane on one machine. */
export const ReporterName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, {
    error: "expected a reporter's name: 1 to 63 lower-case letters, digits, '-' or '.'",
  })
  .meta({ id: 'ReporterName' });

/** One statement of a data plane about a service, in the form of a Kubernetes condition. */
export const Condition = z
  .strictObject({
    /** e.g. `ClusterIPBound`. */
    type: Word,
    status: z.enum(['True', 'False', 'Unknown']),
    /** One word in CamelCase, e.g. `AddressInUse`. */
    reason: Word,
    /** For people: which address, which port, what the system said. */
    message: z.string().max(1_024).default(''),
  })
  .meta({ id: 'Condition' });
export type Condition = z.output<typeof Condition>;

/** A data plane's report about a service; it replaces the previous report of the same reporter. */
export const ServiceReport = z
  .strictObject({
    conditions: z.array(Condition).max(32).default([]),
    /** Addresses at which a load balancer answers for the service. */
    loadBalancer: z
      .array(
        z.strictObject({
          ip: z.union([z.ipv4(), z.ipv6()]).optional(),
          hostname: z.string().max(253).optional(),
        }),
      )
      .max(16)
      .default([]),
    /** How long it is valid unless it is repeated, in ms. */
    forMs: z
      .int({ error: 'expected whole milliseconds, 1000 to 3600000' })
      .min(1_000, { error: 'expected whole milliseconds, 1000 to 3600000' })
      .max(3_600_000, { error: 'expected whole milliseconds, 1000 to 3600000' })
      .default(60_000),
  })
  .meta({ id: 'ServiceReport' });
export type ServiceReport = z.output<typeof ServiceReport>;
