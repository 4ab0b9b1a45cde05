import type { Manifest } from '@rollcall/manifests';

interface Owned {
  readonly manifest: Manifest;
}

/** Which objects name which owners. */
export class OwnerIndex<T extends Owned> {
  /** Uid of an owner -> its objects. */
  readonly #owned = new Map<string, Set<T>>();

  add(declared: T): void {
    for (const uid of ownersOf(declared)) {
      const known = this.#owned.get(uid);
      if (known === undefined) this.#owned.set(uid, new Set([declared]));
      else known.add(declared);
    }
  }

  remove(declared: T): void {
    for (const uid of ownersOf(declared)) {
      const known = this.#owned.get(uid);
      known?.delete(declared);
      if (known?.size === 0) this.#owned.delete(uid);
    }
  }

  /** The objects that name the owner with this uid. */
  of(uid: string): readonly T[] {
    return [...(this.#owned.get(uid) ?? [])];
  }
}

function ownersOf({ manifest }: Owned): string[] {
  return (manifest.metadata.ownerReferences ?? []).map(({ uid = '' }) => uid);
}
