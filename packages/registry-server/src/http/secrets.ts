import { ProblemError } from '@rollcall/contract';
import type { SecretSeal } from '../access/secret-seal.ts';
import { nameKeyOf } from '../picture/declared/object-key.ts';
import { sealedOf } from '../picture/declared/sealed-secret.ts';
import type { Picture } from '../picture/picture.ts';
import { notFound } from '../writes/declared/writing/refusals.ts';
import type { Binder } from './call.ts';
import { checkLoaded } from './loaded.ts';

/** Binds the only route that shows what a Secret holds. */
export function bindSecrets(
  binder: Binder,
  { picture, seal }: { readonly picture: Picture; readonly seal: SecretSeal | undefined },
): void {
  binder.bind('readSecret', async ({ params: { ns: namespace, secret: name }, reply }) => {
    checkLoaded(picture);
    void reply.header('cache-control', 'no-store');
    const ref = { namespace, name };
    const declared = picture.roll?.declarations.get('Secret', nameKeyOf(ref));
    if (declared === undefined) throw notFound({ kind: 'Secret', name });
    const data = seal?.open(ref, sealedOf(declared.manifest));
    if (data === undefined) {
      const message = `Secret ${namespace}/${name} was encrypted with a key that --secrets-key-file of this server does not have`;
      throw new ProblemError('secret_sealed', message, { field: 'secret' });
    }
    const { manifest, revision } = declared;
    return { namespace, name, revision: String(revision), type: manifest.type ?? '', data };
  });
}
