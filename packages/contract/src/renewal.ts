import { z } from 'zod';
import { LeaseId } from './names.ts';

/** How many leases one renewal may name. */
export const MAX_RENEWALS = 10_000;

/** Many heartbeats in one call. */
export const RenewRequest = z
  .strictObject({ leases: z.array(LeaseId).min(1).max(MAX_RENEWALS) })
  .meta({ id: 'RenewRequest' });
export type RenewRequest = z.output<typeof RenewRequest>;

/** The leases that were not renewed. Register `unknown` ones again, but never `superseded` ones. */
export const RenewReply = z
  .object({ unknown: z.array(z.string()), superseded: z.array(z.string()) })
  .meta({ id: 'RenewReply' });
export type RenewReply = z.output<typeof RenewReply>;
