import type { Store } from '../../store/store.ts';
import type { Picture } from '../../picture/picture.ts';
import {
  keyOfObject,
  keyOfReport,
  type ObjectRef,
  nameKeyOf,
} from '../../picture/declared/object-key.ts';

/**
 * Endpoints written for a service are not those of the next one of its name; Kubernetes deletes them too. To be called
 * before the service goes, so that whoever is cut off here can do it again.
 */
export async function dropEndpoints(
  store: Store,
  picture: Picture,
  { kind, namespace, name }: ObjectRef,
): Promise<void> {
  const known = picture.roll?.declarations.get('Endpoints', nameKeyOf({ namespace, name }));
  if (kind !== 'Service' || known === undefined) return;
  const key = keyOfObject({ kind: 'Endpoints', namespace, name });
  await store.remove({ key, floor: picture.revision });
}

/** What was said of a service is not said of the next one of its name. */
export async function dropReports(
  store: Store,
  picture: Picture,
  { kind, namespace, name }: ObjectRef,
): Promise<void> {
  if (kind !== 'Service') return;
  const reports = picture.roll?.declarations.reports(nameKeyOf({ namespace, name })) ?? [];
  for (const { reporter } of reports) {
    const key = keyOfReport(namespace, name, reporter);
    // They lapse by themselves too.
    await store.remove({ key, floor: picture.revision }).catch(() => {});
  }
}
