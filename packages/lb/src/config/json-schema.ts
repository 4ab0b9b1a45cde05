import { z } from 'zod';
import { ConfigSchema } from './schema.ts';

/** The configuration file as a JSON schema (draft 2020-12), without what only the program itself can check. */
export function configJsonSchema(): object {
  return z.toJSONSchema(ConfigSchema, { io: 'input', unrepresentable: 'any' });
}
