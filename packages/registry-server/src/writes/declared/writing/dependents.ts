import type { Store } from '../../../store/store.ts';
import type { Picture } from '../../../picture/picture.ts';
import {
  keyOfObject,
  keyOfReport,
  type ObjectRef,
  nameKeyOf,
} from '../../../picture/declared/object-key.ts';

/** Whether endpoints were written for a service, which go when it goes. */
export function hasEndpoints(picture: Picture, { kind, namespace, name }: ObjectRef): boolean {
  if (kind !== 'Service') return false;
  const key = nameKeyOf({ namespace, name });
  return picture.roll?.declarations.get('Endpoints', key) !== undefined;
}

/**
 * Endpoints written for a service do not belong to a later service of the same name; Kubernetes deletes them too. Call
 * this before the service is deleted, so that a caller that is cut off here can repeat the request.
 */
export async function dropEndpoints(store: Store, picture: Picture, ref: ObjectRef): Promise<void> {
  if (!hasEndpoints(picture, ref)) return;
  const { namespace, name } = ref;
  const key = keyOfObject({ kind: 'Endpoints', namespace, name });
  await store.remove({ key, floor: picture.revision });
}

/** Reports about an object do not apply to a later one of the same name. */
export async function dropReports(
  store: Store,
  picture: Picture,
  { kind, namespace, name }: ObjectRef,
): Promise<void> {
  if (kind !== 'Service' && kind !== 'Ingress') return;
  const reports = picture.roll?.declarations.reports(kind, nameKeyOf({ namespace, name })) ?? [];
  for (const { reporter } of reports) {
    const key = keyOfReport({ kind, namespace, name, reporter });
    // Reports also expire by themselves.
    await store.remove({ key, floor: picture.revision }).catch(() => {});
  }
}
