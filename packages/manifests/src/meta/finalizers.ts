import { type FieldError, forbidden, invalid } from './field-error.ts';
import { checkQualifiedName } from './names.ts';
import type { ObjectMeta } from './object-meta.ts';

/** Finalizer of an object whose owned objects are to stay when it goes. */
export const ORPHAN = 'orphan';

/** Finalizer of an object that goes after the objects that it owns. */
export const FOREGROUND = 'foregroundDeletion';

/** The finalizers that may have a name without a domain. */
const STANDARD: readonly string[] = [ORPHAN, FOREGROUND, 'kubernetes'];

const FIELD = 'metadata.finalizers';

/** Faults of the names that keep an object from going before their work is done. */
export function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const faults = finalizers.flatMap((name) =>
    checkQualifiedName(name).map((fault) => invalid(FIELD, name, fault)),
  );
  if (finalizers.includes(ORPHAN) && finalizers.includes(FOREGROUND)) {
    const detail = `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`;
    faults.push(invalid(FIELD, finalizers, detail));
  }
  for (const [i, name] of finalizers.entries()) {
    if (checkQualifiedName(name).length > 0 || name.includes('/') || STANDARD.includes(name))
      continue;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    faults.push(invalid(`${FIELD}[${i}]`, name, detail));
  }
  return faults;
}

/** Faults of finalizers that are added to an object that is being deleted. */
export function validateNoNewFinalizers(before: ObjectMeta, next: ObjectMeta): FieldError[] {
  if (before.deletionTimestamp === undefined) return [];
  const known = before.finalizers ?? [];
  const added = new Set((next.finalizers ?? []).filter((name) => !known.includes(name)));
  if (added.size === 0) return [];
  const listed = [...added].toSorted().map((name) => JSON.stringify(name));
  const found = `[]string{${listed.join(', ')}}`;
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`;
  return [forbidden(FIELD, detail)];
}
