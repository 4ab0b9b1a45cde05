import { z } from 'zod';
import { InstanceStatus } from './state.ts';

/** A status set by an operator, kept apart from what the instance reports. */
export const OverrideRequest = z
  .strictObject({
    status: InstanceStatus,
    author: z.string().min(1).max(128),
    reason: z.string().min(1).max(512),
    /** How long it lasts, in ms from now; without end when omitted. */
    forMs: z.int().min(1_000).max(31_536_000_000).optional(),
  })
  .meta({ id: 'OverrideRequest' });
export type OverrideRequest = z.output<typeof OverrideRequest>;

/** A stored override. It survives when the instance registers again. */
export const Override = z
  .object({
    status: InstanceStatus,
    author: z.string(),
    reason: z.string(),
    /** Unix time in ms on the store's clock; null = no end. */
    untilMs: z.int().nullable(),
  })
  .meta({ id: 'Override' });
export type Override = z.output<typeof Override>;
