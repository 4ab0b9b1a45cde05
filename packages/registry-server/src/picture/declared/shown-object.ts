import type { ManifestObject } from '@rollcall/contract';
import type { Manifest } from '@rollcall/manifests';

/**
 * A manifest for output: with its revision (undefined = it was not written), without undefined fields, and of a Secret
 * without what it holds.
 */
export function shownObject(manifest: Manifest, revision: number | undefined): ManifestObject {
  const { apiVersion, kind, metadata, ...rest } = withoutContent(manifest);
  const version = revision === undefined ? {} : { resourceVersion: String(revision) };
  const shown = { apiVersion, kind, metadata: { ...metadata, ...version }, ...rest };
  return JSON.parse(JSON.stringify(shown)) as ManifestObject;
}

function withoutContent(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const { apiVersion, kind, metadata, type } = manifest;
  return { apiVersion, kind, metadata, type };
}
