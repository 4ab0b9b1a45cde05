import { normalPath } from '../matching/normal-path.ts';

type PathMatch = { readonly exact: string } | { readonly prefix: string };

/** What a rule has for the path of an object, in the form in which paths of requests are compared. Undefined: no request has it. */
export function declaredPath(written: string, kind: 'exact' | 'prefix'): PathMatch | undefined {
  if (!written.startsWith('/') || !written.isWellFormed()) return undefined;
  // Requests have other characters only in their encoded form.
  const path = normalPath(written.replaceAll(/[^!-~]+/gu, encodeURIComponent));
  if (path === undefined) return undefined;
  return kind === 'exact' ? { exact: path } : { prefix: path.replace(/\/+$/, '') || '/' };
}
