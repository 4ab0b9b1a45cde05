import type { PathPattern } from '../../matching/path-pattern.ts';

export interface PathChange {
  /** `$1` is what the first group of the rule's regular expression matched. */
  readonly path?: string | undefined;
  /** Takes the place of the prefix that the rule is for. */
  readonly prefix?: string | undefined;
}

/** The path after a change. `path`: the normal form, which the rule has matched. */
export function changedPath(
  path: string,
  { path: whole, prefix }: PathChange,
  pattern: PathPattern | undefined,
): string {
  if (whole !== undefined) return pattern === undefined ? whole : pattern.expand(path, whole);
  if (prefix === undefined) return path;
  const rest = path.slice(pattern?.prefixLength ?? 0);
  const joined = `${prefix.replace(/\/$/, '')}${rest}`;
  return joined.startsWith('/') ? joined : `/${joined}`;
}

/** The query with its `?`; empty: there is none. */
export function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start === -1 ? '' : target.slice(start);
}
