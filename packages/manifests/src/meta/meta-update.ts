import { type FieldError, invalid } from './field-error.ts';
import { validateNoNewFinalizers } from './finalizers.ts';
import type { ObjectMeta } from './object-meta.ts';

/**
 * Faults of new metadata of an object. Fields that only the server sets keep their values, whatever the text says, with
 * one exception: a `deletionTimestamp` in an object that is not being deleted is a fault.
 */
export function validateMetaUpdate(before: ObjectMeta, next: ObjectMeta): FieldError[] {
  const faults = validateNoNewFinalizers(before, next);
  const { deletionTimestamp } = next;
  if (before.deletionTimestamp === undefined && deletionTimestamp !== undefined) {
    const field = 'metadata.deletionTimestamp';
    faults.push(invalid(field, deletionTimestamp, 'field is immutable'));
  }
  return faults;
}
