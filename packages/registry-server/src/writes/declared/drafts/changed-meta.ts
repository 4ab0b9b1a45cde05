import type { Manifest, ObjectMeta, OwnerReference } from '@rollcall/manifests';
import type { Declared } from '../../../picture/declared/declarations.ts';
import { type ObjectRef, objectRefOf } from '../../../picture/declared/object-key.ts';
import { NO_LOCATION } from './draft-faults.ts';
import type { Draft } from './draft.ts';
import { timeOf } from './stored-meta.ts';

/** The object with the mark that it is being deleted, and with what keeps it until then. */
export function withDeletion(
  manifest: Manifest,
  finalizers: readonly string[],
  nowMs: number,
): Manifest {
  const { generation, deletionTimestamp } = manifest.metadata;
  const isNew = deletionTimestamp === undefined;
  const counted = isNew && generation !== undefined ? { generation: generation + 1 } : {};
  return withMetadata(manifest, {
    ...counted,
    deletionTimestamp: deletionTimestamp ?? timeOf(nowMs),
    deletionGracePeriodSeconds: 0,
    finalizers: [...finalizers],
  });
}

/** The object without one of the finalizers that keep it. */
export function withoutFinalizer(manifest: Manifest, finalizer: string): Manifest {
  const left = (manifest.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  return withMetadata(manifest, { finalizers: left });
}

/** The object with only these owners. */
export function withOwners(manifest: Manifest, owners: readonly OwnerReference[]): Manifest {
  return withMetadata(manifest, { ownerReferences: [...owners] });
}

function withMetadata(manifest: Manifest, changed: ObjectMeta): Manifest {
  const whole: ObjectMeta = { ...manifest.metadata, ...changed };
  const { finalizers = [], ownerReferences = [], ...rest } = whole;
  const metadata: ObjectMeta = {
    ...rest,
    ...(finalizers.length > 0 ? { finalizers } : {}),
    ...(ownerReferences.length > 0 ? { ownerReferences } : {}),
  };
  return { ...manifest, metadata };
}

/** What names a declared object. */
export function refOfDeclared({ manifest, namespace, name }: Declared): ObjectRef {
  return objectRefOf({ kind: manifest.kind, namespace, name });
}

/** A draft of a change that this server makes of itself. */
export function draftOfChange(before: Declared, manifest: Manifest): Draft {
  const ref = refOfDeclared(before);
  const nothing = { faults: [], warnings: [], locate: NO_LOCATION };
  return { ref, action: 'configured', manifest, before, ...nothing };
}
