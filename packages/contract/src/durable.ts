import { z } from 'zod';
import { Revision } from './instance.ts';

/** Media format and version of an export. */
export const DURABLE_FORMAT = 'rollcall-durable';
export const DURABLE_VERSION = 1;

/**
 * What does not return by itself: declared objects with what they claim, overrides, persistent instances. Its parts are
 * the registry's own business; the checksum tells whether they are as it wrote them.
 */
export const DurableExport = z
  .object({
    format: z.literal(DURABLE_FORMAT),
    version: z.literal(DURABLE_VERSION),
    /** `sha256:` and the digest of `content` as JSON. */
    checksum: z.string(),
    content: z.object({ resources: z.array(z.unknown()), instances: z.array(z.unknown()) }),
  })
  .meta({ id: 'DurableExport' });
export type DurableExport = z.output<typeof DurableExport>;

/** Body of the call that imports: an export to the letter. Read by its handler, which says what is wrong with it. */
export const DurableText = z.string().meta({
  description: 'An export as GET /v1/export gave it',
  examples: ['{"format":"rollcall-durable","version":1,"checksum":"sha256:...","content":{}}'],
});

/**
 * What became of a thing of an import: `written`; `unchanged`, since it is there as it was; `newer`, since what is there
 * was written later; `deleted`, since it was deleted after the export; `ended`, since its time is over; `live`, since a
 * process that is alive has the instance's id; `full`, since the service has meanwhile as many instances as it may; `own`,
 * since the registry keeps it itself.
 */
export const ImportOutcome = z.enum([
  'written',
  'unchanged',
  'newer',
  'deleted',
  'ended',
  'live',
  'full',
  'own',
]);
export type ImportOutcome = z.output<typeof ImportOutcome>;

export const ImportReply = z
  .object({
    dryRun: z.boolean(),
    /** Of the last thing written; else the registry's. */
    revision: Revision,
    items: z.array(
      z.object({
        /** `<kind>/<namespace>/<name>`, `override/...` or `instance/<namespace>/<service>/<id>`. */
        item: z.string(),
        outcome: ImportOutcome,
      }),
    ),
  })
  .meta({ id: 'ImportReply' });
export type ImportReply = z.output<typeof ImportReply>;
