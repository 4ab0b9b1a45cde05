import { type FieldError, invalid } from './field-error.ts';
import { validateNoNewFinalizers } from './finalizers.ts';
import type { ObjectMeta } from './object-meta.ts';

/**
 * Faults of metadata that takes the place of other metadata. What only a server sets is kept whatever a text says of it,
 * so only a deletion that somebody writes into a living object is a fault.
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
