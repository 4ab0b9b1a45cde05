import type { Manifest } from '@rollcall/manifests';
import { keyOfObject, type ObjectRef } from '../../../picture/declared/object-key.ts';
import type { Picture } from '../../../picture/picture.ts';
import type { RemoveOutcome, Store } from '../../../store/store.ts';
import { dropEndpoints, dropReports } from './dependents.ts';

/** Whether nothing keeps an object any more that is being deleted. */
export function isEnded({ metadata }: Manifest): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}

/** Removes an object with what belongs to it. `expected`: the revision that it must have; undefined = any. */
export async function removeObject(
  store: Store,
  picture: Picture,
  { ref, expected }: { readonly ref: ObjectRef; readonly expected: number | undefined },
): Promise<RemoveOutcome> {
  await dropEndpoints(store, picture, ref);
  const key = keyOfObject(ref);
  const outcome = await store.remove({ key, floor: picture.revision, expected });
  if (outcome.kind === 'changed') await dropReports(store, picture, ref);
  return outcome;
}
