import type { ManifestObject } from '@rollcall/contract';
import { resourceOf } from '@rollcall/manifests';
import type { Declared } from '../../../picture/declared/declarations.ts';
import type { ObjectRef } from '../../../picture/declared/object-key.ts';

/** Why a write to such an object changes nothing. */
export function derivedMessage({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  const what = `${resourceOf(kind)} ${JSON.stringify(name)}`;
  return `${what} is derived from the instances of its service: what is written to it has no effect`;
}

/**
 * Whether a write is about an object that the registry makes itself, and not about the one that somebody wrote under the
 * same name: what is shown then has no uid, and a version that is not that of the other.
 */
export function isPutBack(
  shown: ManifestObject,
  { before, version }: { readonly before: Declared | undefined; readonly version: unknown },
): boolean {
  if (before === undefined) return true;
  const { uid, resourceVersion } = shown.metadata;
  const isStored = uid !== undefined || version === String(before.revision);
  return !isStored && resourceVersion !== undefined && version === resourceVersion;
}
