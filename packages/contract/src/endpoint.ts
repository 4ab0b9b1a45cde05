import { z } from 'zod';
import { Protocol } from './port.ts';

/** One port of one instance in one service, derived by the registry. Callers pick from endpoints. */
export const Endpoint = z
  .object({
    /** `<instance>/<portName>`, unique within its service. */
    id: z.string(),
    instance: z.string(),
    address: z.string(),
    port: z.int(),
    portName: z.string(),
    protocol: Protocol,
    /** A numeric `targetPort` of a declared service is compared with this. */
    containerPort: z.int(),
    /** Failure zone; empty = none. */
    zone: z.string(),
    weight: z.int(),
    labels: z.record(z.string(), z.string()),
    state: z.enum(['up', 'starting', 'down', 'draining', 'suspect', 'unreachable', 'unconfirmed']),
    /** Why it is in that state, for people; empty when there is nothing to explain. */
    reason: z.string(),
    ready: z.boolean(),
    serving: z.boolean(),
    terminating: z.boolean(),
    /** 0 = use; 1 = use only when no tier 0 is left; null = not for new calls. */
    tier: z.union([z.literal(0), z.literal(1), z.null()]),
  })
  .meta({ id: 'Endpoint' });
export type Endpoint = z.output<typeof Endpoint>;
