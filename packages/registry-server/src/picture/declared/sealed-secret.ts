import type { Manifest, Secret } from '@rollcall/manifests';

/** A Secret as it is stored: without what it holds, except encrypted. */
export interface SealedSecret extends Omit<Secret, 'data' | 'stringData'> {
  readonly sealed: string;
}

/** What a stored Secret holds, encrypted. */
export function sealedOf(manifest: Manifest): string {
  return (manifest as Partial<SealedSecret>).sealed ?? '';
}
