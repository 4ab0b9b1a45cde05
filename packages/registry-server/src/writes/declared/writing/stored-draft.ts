import type { ApplyResult, ManifestObject } from '@rollcall/contract';
import { claimSlotsOf, withClaims } from '../../../picture/declared/claim-slots.ts';
import { keyOfObject } from '../../../picture/declared/object-key.ts';
import { shownObject } from '../../../picture/declared/shown-object.ts';
import type { ResourceRecord } from '../../../store/record.ts';
import type { PutItem } from '../../../store/store.ts';
import type { Draft } from '../drafts/draft.ts';

/** The put item of a draft. `isUnreadable`: the stored value cannot be read. */
export function itemOf({ ref, manifest, before }: Draft, isUnreadable: boolean): PutItem {
  const claims = manifest?.kind === 'Service' ? claimSlotsOf(manifest) : [];
  return {
    key: keyOfObject(ref),
    value: JSON.stringify(manifest),
    forMs: 0,
    why: before === undefined ? 'created' : 'configured',
    // An unreadable value may be overwritten: nothing known is lost.
    expected: before?.revision ?? (isUnreadable ? undefined : 0),
    claims: claims.map(({ pool, number }) => ({ pool, number })),
  };
}

/** The object that results from a draft. `resource`: as it was written; undefined = nothing was written. */
export function objectOf(
  { manifest, before, derived }: Draft,
  resource: ResourceRecord | undefined,
  dryRun: boolean,
): ManifestObject | null {
  if (resource === undefined) {
    if (derived !== undefined) return derived;
    return before === undefined ? null : shownObject(before.manifest, before.revision);
  }
  if (manifest === undefined) return null;
  const whole = manifest.kind === 'Service' ? withClaims(manifest, resource.claims) : manifest;
  return shownObject(whole, dryRun ? undefined : resource.revision);
}

/** The result of a draft without faults. */
export function resultOf(
  { ref, action, before, warnings }: Draft,
  object: ManifestObject | null,
): ApplyResult {
  return {
    ...ref,
    action,
    object,
    before: before === undefined ? null : shownObject(before.manifest, before.revision),
    faults: [],
    warnings: [...warnings],
  };
}
