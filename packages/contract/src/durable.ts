import { z } from 'zod';
import { Revision } from './instance.ts';

/** Format name and version of an export. */
export const DURABLE_FORMAT = 'rollcall-durable';
export const DURABLE_VERSION = 1;

/**
 * What does not come back by itself: declared objects with their claims, overrides, persistent instances. Only the
 * registry reads its parts; the checksum shows whether they are as it wrote them.
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

/** Body of the import call: an unchanged export. Its handler parses it, to report what is wrong with it. */
export const DurableText = z.string().meta({
  description: 'An export as GET /v1/export gave it',
  examples: ['{"format":"rollcall-durable","version":1,"checksum":"sha256:...","content":{}}'],
});

/**
 * The outcome of one entry of an import: `written`; `unchanged`, it was there already; `newer`, the existing one was
 * written later; `deleted`, it was deleted after the export; `ended`, its time is over; `live`, a live process has the
 * instance's id; `full`, the service meanwhile has its maximum of instances; `own`, the registry maintains it itself.
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
    /** Revision of the last write; if nothing was written, the registry's. */
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
