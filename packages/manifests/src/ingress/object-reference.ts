import { z } from 'zod';
import { type FieldError, invalidEach, required } from '../meta/field-error.ts';
import { checkPathSegment, checkSubdomain1123 } from '../meta/names.ts';
import { absent } from '../meta/object-meta.ts';

/** The name of an object of any kind, in the namespace of the object that names it. */
export const ObjectReference = z.strictObject({
  apiGroup: absent(z.string()),
  kind: absent(z.string()),
  name: absent(z.string()),
});

/** Faults of a reference, in the words of the Kubernetes API server. `at`: its field. */
export function validateReference(
  { apiGroup, kind = '', name = '' }: z.output<typeof ObjectReference>,
  at: string,
): FieldError[] {
  const faults: FieldError[] = [];
  if (apiGroup !== undefined)
    faults.push(...invalidEach(`${at}.apiGroup`, apiGroup, checkSubdomain1123));
  for (const [field, value] of Object.entries({ kind, name })) {
    if (value === '') faults.push(required(`${at}.${field}`, `${field} is required`));
    else faults.push(...invalidEach(`${at}.${field}`, value, checkPathSegment));
  }
  return faults;
}
