import type { Manifest, Secret } from '@rollcall/manifests';
import { isDeepStrictEqual } from 'node:util';
import type { SecretSeal } from '../../access/secret-seal.ts';
import type { ObjectRef } from '../../picture/declared/object-key.ts';
import { type SealedSecret, sealedOf } from '../../picture/declared/sealed-secret.ts';

/** Why a Secret is refused when the registry has no key to encrypt it with. */
export const NO_SEAL =
  'Forbidden: this registry keeps no Secrets: start it with --secrets-key-file to have them encrypted';

/** The manifest as it is stored. A Secret that holds what it held before stays the same text, though each sealing differs. */
export function sealedManifest(
  manifest: Manifest,
  before: Manifest | undefined,
  { ref, seal }: { readonly ref: ObjectRef; readonly seal: SecretSeal | undefined },
): Manifest {
  if (manifest.kind !== 'Secret' || seal === undefined) return manifest;
  const { data = {}, stringData: _, ...rest }: Secret = manifest;
  const known = before === undefined ? '' : sealedOf(before);
  const isSame = known !== '' && isDeepStrictEqual({ ...seal.open(ref, known) }, { ...data });
  const stored: SealedSecret = { ...rest, sealed: isSame ? known : seal.seal(ref, data) };
  return stored;
}
