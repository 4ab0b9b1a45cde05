import { z } from 'zod';
import { DurableExport, DurableText, ImportReply } from './durable.ts';
import type { Route } from './route.ts';
import { flag } from './route-params.ts';

/** The calls that export and import the durable part of a registry. */
export const DURABLE_ROUTES = {
  exportDurable: {
    method: 'GET',
    path: '/v1/export',
    summary:
      'Export what does not return by itself: declared objects, overrides, persistent instances',
    scope: 'admin',
    reply: { status: 200, body: DurableExport },
  },
  importDurable: {
    method: 'POST',
    path: '/v1/import',
    summary: 'Import an export: all of it is checked before any of it is written',
    scope: 'admin',
    query: z.strictObject({
      /** Also write entries that exist in a newer form, or that were deleted since. */
      replace: flag.default(false),
      /** Check and show, but write nothing. */
      dryRun: flag.default(false),
    }),
    body: DurableText,
    bodyType: 'export',
    reply: { status: 200, body: ImportReply },
  },
} as const satisfies Record<string, Route>;
