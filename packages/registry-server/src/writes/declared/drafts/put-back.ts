import type { ManifestObject } from '@rollcall/contract';
import type { Declared } from '../../../picture/declared/declarations.ts';

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
