import { resourceOf } from '@rollcall/manifests';
import type { Declared } from '../../picture/declared/declarations.ts';
import type { ObjectRef } from '../../picture/declared/object-key.ts';

/** The end of the message when another writer changed the object meanwhile; the words of kubectl. */
export const STALE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** Whether a write names a version other than the current one. */
export function isStale(wanted: string | undefined, before: Declared | undefined): boolean {
  return wanted !== undefined && wanted !== '' && wanted !== String(before?.revision ?? '');
}

/** The message of kubectl for that. */
export function staleMessage({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  return `Operation cannot be fulfilled on ${resourceOf(kind)} ${JSON.stringify(name)}: ${STALE}`;
}
