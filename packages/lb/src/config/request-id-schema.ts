import { z } from 'zod';
import { isFieldName, isProtectedField } from './field-names.ts';
import { flag, object } from './fields.ts';
import { networks } from './networks.ts';

export const RequestId = object({
  /** Field that carries the id: in requests to targets, and in answers. @default x-request-id */
  header: z
    .string({ error: 'expected the name of a header field' })
    .refine((name) => isFieldName(name) && !isProtectedField(name), {
      error: 'expected the name of a header field that has no other meaning',
    })
    .default('x-request-id'),
  /**
   * Whose ids are kept: `true`, those of all clients; `false`, of none; or a list of networks, such as that of the proxy in
   * front. An id that is longer than 128 characters, or has others than letters, digits and `._~:@+/=-`, is replaced in
   * any case. @default as trustForwarded
   */
  trust: z
    .union([flag, networks], { error: 'expected true, false or a list of networks' })
    .optional(),
});
