import type { ManifestObject } from '@rollcall/contract';
import type { Manifest } from '@rollcall/manifests';

/** A manifest as it is shown: with the revision that it has, and without keys that hold nothing. */
export function shownObject(manifest: Manifest, revision: number): ManifestObject {
  const { apiVersion, kind, metadata, ...rest } = manifest;
  const shown = {
    apiVersion,
    kind,
    metadata: { ...metadata, resourceVersion: String(revision) },
    ...rest,
  };
  return JSON.parse(JSON.stringify(shown)) as ManifestObject;
}
