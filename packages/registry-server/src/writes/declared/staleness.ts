import { resourceOf } from '@rollcall/manifests';
import type { Declared } from '../../picture/declared/declarations.ts';
import type { ObjectRef } from '../../picture/declared/object-key.ts';

/** How a refusal ends when somebody else changed the object meanwhile; kubectl's words. */
export const STALE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** Whether somebody who names the version that he read would change another one. */
export function isStale(wanted: string | undefined, before: Declared | undefined): boolean {
  return wanted !== undefined && wanted !== '' && wanted !== String(before?.revision ?? '');
}

/** What kubectl says to him. */
export function staleMessage({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  return `Operation cannot be fulfilled on ${resourceOf(kind)} ${JSON.stringify(name)}: ${STALE}`;
}
