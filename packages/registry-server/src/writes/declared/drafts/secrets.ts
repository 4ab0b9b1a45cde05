import type { Manifest, Secret } from '@rollcall/manifests';
import { isDeepStrictEqual } from 'node:util';
import type { SecretSeal } from '../../../access/secret-seal.ts';
import type { ObjectRef } from '../../../picture/declared/object-key.ts';
import { type SealedSecret, sealedOf } from '../../../picture/declared/sealed-secret.ts';

/** Why a Secret is refused when the registry has no key to encrypt it with. */
export const NO_SEAL =
  'Forbidden: this registry keeps no Secrets: start it with --secrets-key-file to have them encrypted';

interface Sealing {
  readonly ref: ObjectRef;
  readonly seal: SecretSeal | undefined;
}

/**
 * A Secret with what it holds, to be changed. Undefined: it is none, or it was encrypted with a key that this server
 * does not have.
 */
export function openedSecret(stored: Manifest, { ref, seal }: Sealing): Secret | undefined {
  if (stored.kind !== 'Secret') return undefined;
  const data = seal?.open(ref, sealedOf(stored));
  if (data === undefined) return undefined;
  const { apiVersion, kind, metadata, type } = stored;
  return { apiVersion, kind, metadata, type, data: { ...data } };
}

/**
 * A Secret that says nothing of what it holds, with what it held: nobody is shown that, so who puts back what was shown
 * does not take it away. Undefined: this is no such Secret.
 */
export function keptSecret(
  given: Manifest,
  before: Manifest | undefined,
  sealing: Sealing,
): Secret | undefined {
  if (given.kind !== 'Secret' || given.data !== undefined || given.stringData !== undefined)
    return undefined;
  const known = before === undefined ? undefined : openedSecret(before, sealing);
  return known && { ...given, type: given.type ?? known.type, data: known.data };
}

/** The manifest as it is stored. A Secret that holds what it held before stays the same text, though each sealing differs. */
export function sealedManifest(
  manifest: Manifest,
  before: Manifest | undefined,
  { ref, seal }: Sealing,
): Manifest {
  if (manifest.kind !== 'Secret' || seal === undefined) return manifest;
  const { data = {}, stringData: _, ...rest }: Secret = manifest;
  const known = before === undefined ? '' : sealedOf(before);
  const isSame = known !== '' && isDeepStrictEqual({ ...seal.open(ref, known) }, { ...data });
  const stored: SealedSecret = { ...rest, sealed: isSame ? known : seal.seal(ref, data) };
  return stored;
}
