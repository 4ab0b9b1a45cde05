import type { ManifestObject } from '@rollcall/contract';
import type { Manifest } from '@rollcall/manifests';

/** A manifest for output: with its revision (undefined = it was not written), and without undefined fields. */
export function shownObject(manifest: Manifest, revision: number | undefined): ManifestObject {
  const { apiVersion, kind, metadata, ...rest } = manifest;
  const version = revision === undefined ? {} : { resourceVersion: String(revision) };
  const shown = { apiVersion, kind, metadata: { ...metadata, ...version }, ...rest };
  return JSON.parse(JSON.stringify(shown)) as ManifestObject;
}
