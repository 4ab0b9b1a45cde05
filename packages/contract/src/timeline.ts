import { z } from 'zod';
import { Revision } from './instance.ts';

/** What can happen to an instance, or to a declared object (the last five). */
export const TimelineKind = z.enum([
  'registered',
  'reregistered',
  'updated',
  'draining',
  'suspected',
  'recovered',
  'unreachable',
  'unconfirmed',
  'restored',
  'deregistered',
  'expired',
  'superseded',
  'overridden',
  'override-removed',
  'created',
  'configured',
  'deleted',
  'reported',
  'report-ended',
]);
export type TimelineKind = z.output<typeof TimelineKind>;

/** One event of the timeline: what happened to which instance, when and why. */
export const TimelineEvent = z
  .object({
    revision: Revision,
    /** Unix time in ms on the store's clock. */
    atMs: z.int(),
    namespace: z.string(),
    service: z.string(),
    /** Empty when the event is about the service or another declared object. */
    instance: z.string(),
    kind: TimelineKind,
    reason: z.string(),
  })
  .meta({ id: 'TimelineEvent' });
export type TimelineEvent = z.output<typeof TimelineEvent>;

/** Reply to reading the timeline, oldest first. */
export const Timeline = z.object({ events: z.array(TimelineEvent) }).meta({ id: 'Timeline' });
export type Timeline = z.output<typeof Timeline>;
