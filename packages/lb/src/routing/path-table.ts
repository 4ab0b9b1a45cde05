/** Paths of one host and their values: exact paths first, then the longest prefix, then any path. */
export class PathTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #prefixes: { readonly prefix: string; readonly value: T }[] = [];
  #any: T | undefined;

  /** `pattern`: `/exact`, `/prefix/*`, or undefined for any path. */
  add(pattern: string | undefined, value: T): void {
    if (pattern === undefined || pattern === '/*') {
      this.#any = value;
    } else if (pattern.endsWith('/*')) {
      this.#prefixes.push({ prefix: pattern.slice(0, -2), value });
      this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
    } else {
      this.#exact.set(pattern, value);
    }
  }

  find(path: string): T | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (const { prefix, value } of this.#prefixes) {
      if (isBelow(path, prefix)) return value;
    }
    return this.#any;
  }
}

/** `/api` itself and `/api/...`, but not `/apix`. */
function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || path.charCodeAt(prefix.length) === 47;
}
