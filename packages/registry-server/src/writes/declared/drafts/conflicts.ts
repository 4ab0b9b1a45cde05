import type { Fault } from '@rollcall/contract';
import { type Manifest, resourceOf } from '@rollcall/manifests';
import type { Declared } from '../../../picture/declared/declarations.ts';
import type { ObjectRef } from '../../../picture/declared/object-key.ts';

/** `put` creates or replaces. */
export type ApplyMode = 'apply' | 'create' | 'replace' | 'put';

const OTHER_OBJECT = 'Precondition failed: UID in precondition';

/** The end of the message when another writer changed the object meanwhile; the words of kubectl. */
const STALE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** Whether a write names a version other than the current one. */
export function isStale(wanted: string | undefined, before: Declared | undefined): boolean {
  return wanted !== undefined && wanted !== '' && wanted !== String(before?.revision ?? '');
}

/**
 * What a replacement says of its object that is not so: it is of one that was deleted, and this one has its name. The message
 * is that of the API server. Undefined: nothing.
 */
export function otherObjectMessage(
  wanted: string | undefined,
  { ref, before }: { readonly ref: ObjectRef; readonly before: Declared | undefined },
): string | undefined {
  const own = before?.manifest.metadata.uid;
  if (wanted === undefined || wanted === '' || own === undefined || wanted === own)
    return undefined;
  const detail = `${OTHER_OBJECT}: ${wanted}, UID in object meta: ${own}`;
  return `Operation cannot be fulfilled on ${resourceOf(ref.kind)} ${JSON.stringify(ref.name)}: ${detail}`;
}

/** Whether a message says that an object is not, or no longer, what a write takes it for. */
export function isConflictMessage(message: string): boolean {
  return message.endsWith(STALE) || message.includes(OTHER_OBJECT);
}

/** The message of kubectl for that. */
export function staleMessage({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  return `Operation cannot be fulfilled on ${resourceOf(kind)} ${JSON.stringify(name)}: ${STALE}`;
}

/** The conflict of a document with the existing object, or with its absence. */
export function conflictOf(
  { metadata }: Manifest,
  {
    ref,
    before,
    mode,
  }: {
    readonly ref: ObjectRef;
    readonly before: Declared | undefined;
    readonly mode: ApplyMode;
  },
): Pick<Fault, 'field' | 'message'> | undefined {
  const plural = resourceOf(ref.kind);
  const { name = '', generateName, resourceVersion, uid } = metadata;
  const said = (message: string, field = '') => ({ field, message });
  if (mode === 'apply' && name === '') {
    return said(`from ${generateName ?? ''}: cannot use generate name with apply`, 'metadata.name');
  }
  if (mode === 'create' && before !== undefined) {
    const isGoing = before.manifest.metadata.deletionTimestamp !== undefined;
    const why = isGoing ? 'object is being deleted: ' : '';
    return said(`${why}${plural} "${ref.name}" already exists`);
  }
  if (mode === 'replace' && before === undefined) return said(`${plural} "${ref.name}" not found`);
  // Applying what was exported elsewhere, or before a deletion, declares it here.
  const other = mode === 'apply' ? undefined : otherObjectMessage(uid, { ref, before });
  if (other !== undefined) return said(other, 'metadata.uid');
  // An object that was exported, deleted and declared again names an old version, but there is nothing to conflict
  // with.
  const isNew = before === undefined && mode !== 'put';
  if (isNew || !isStale(resourceVersion, before)) return undefined;
  return said(staleMessage(ref), 'metadata.resourceVersion');
}
