import { z } from 'zod';
import { PortNumber, Protocol } from './port.ts';

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

/** An address at which a load balancer answers. Without `ip` and `hostname`: the one that its report comes from. */
export const BalancerAddress = z
  .strictObject({
    ip: z.union([z.ipv4(), z.ipv6()]).optional(),
    hostname: z.string().max(253).optional(),
    /** `VIP`: packets arrive with it as their destination. `Proxy`: the balancer makes a connection of its own. */
    ipMode: z.enum(['VIP', 'Proxy']).optional(),
    /** The ports that it listens on there. */
    ports: z
      .array(z.strictObject({ port: PortNumber, protocol: Protocol.default('TCP') }))
      .max(32)
      .optional(),
  })
  .meta({ id: 'BalancerAddress' });
export type BalancerAddress = z.output<typeof BalancerAddress>;

/** A data plane's report about a service or an Ingress; it replaces the previous report of the same reporter. */
export const ServiceReport = z
  .strictObject({
    conditions: z.array(Condition).max(32).default([]),
    /** Addresses at which a load balancer answers for it. */
    loadBalancer: z.array(BalancerAddress).max(16).default([]),
    /** How long it is valid unless it is repeated, in ms. */
    forMs: z
      .int({ error: 'expected whole milliseconds, 1000 to 3600000' })
      .min(1_000, { error: 'expected whole milliseconds, 1000 to 3600000' })
      .max(3_600_000, { error: 'expected whole milliseconds, 1000 to 3600000' })
      .default(60_000),
  })
  .meta({ id: 'ServiceReport' });
export type ServiceReport = z.output<typeof ServiceReport>;
