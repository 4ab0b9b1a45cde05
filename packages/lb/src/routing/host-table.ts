import { PathTable } from './path-table.ts';

/**
 * Finds the value of the most specific rule: the exact host before `*.suffix` (the longest first) before any host;
 * within one host as PathTable does. When a host's rules do not match the path, the next less specific host is tried.
 */
export class HostTable<T> {
  readonly #exact = new Map<string, PathTable<T>>();
  readonly #suffixes = new Map<string, PathTable<T>>();
  readonly #any = new PathTable<T>();

  add(host: string | undefined, path: string | undefined, value: T): void {
    this.#tableOf(host?.toLowerCase().replace(/\.$/, '')).add(path, value);
  }

  /** `host` must be lower case, without port and without trailing dot. */
  find(host: string, path: string): T | undefined {
    const exact = this.#exact.get(host)?.find(path);
    if (exact !== undefined) return exact;
    if (this.#suffixes.size > 0) {
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const found = this.#suffixes.get(host.slice(dot + 1))?.find(path);
        if (found !== undefined) return found;
      }
    }
    return this.#any.find(path);
  }

  #tableOf(host: string | undefined): PathTable<T> {
    if (host === undefined) return this.#any;
    const isSuffix = host.startsWith('*.');
    const tables = isSuffix ? this.#suffixes : this.#exact;
    const key = isSuffix ? host.slice(2) : host;
    let table = tables.get(key);
    if (table === undefined) {
      table = new PathTable();
      tables.set(key, table);
    }
    return table;
  }
}
