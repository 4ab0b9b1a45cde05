/** Something that no manifest may contain, although YAML can express it. */
export interface Oddity {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * Finds what is not a tree of plain values: an anchor that contains an alias of itself, and the key `__proto__`, which
 * would be dropped silently. Undefined = none.
 */
export function oddityOf(
  value: unknown,
  path: readonly (string | number)[] = [],
  above: ReadonlySet<unknown> = new Set(),
): Oddity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (above.has(value)) return { path, message: 'an alias leads to what it stands in' };
  const within = new Set([...above, value]);
  for (const [key, child] of Object.entries(value)) {
    const own = [...path, Array.isArray(value) ? Number(key) : key];
    if (key === '__proto__') {
      return { path: own, message: 'strict decoding error: no field may be named __proto__' };
    }
    const found = oddityOf(child, own, within);
    if (found !== undefined) return found;
  }
  return undefined;
}
