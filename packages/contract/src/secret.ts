import { z } from 'zod';
import { Revision } from './instance.ts';

/** What a Secret holds. */
export const SecretContent = z
  .object({
    namespace: z.string(),
    name: z.string(),
    revision: Revision,
    type: z.string(),
    /** By key, in base64. */
    data: z.record(z.string(), z.string()),
  })
  .meta({ id: 'SecretContent' });
export type SecretContent = z.output<typeof SecretContent>;
