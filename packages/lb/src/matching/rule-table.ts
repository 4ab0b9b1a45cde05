import type { RequestView } from '@rollcall/dataplane';
import type { Entry } from './entry.ts';
import { hostKey } from './host-pattern.ts';
import { byPrecedence } from './precedence.ts';

/** Called for each candidate in the order of precedence. True: it is the one. */
type Visit<T> = (entry: Entry<T>) => boolean;

/**
 * The rules of a listener, found by host and path. The order of precedence:
 *
 * 1. rules with a priority, the lowest number first;
 * 2. the others: the exact host before `*.suffix`, the longest suffix first, before any host;
 * 3. within that the exact path, then patterns by the length of what all their paths begin with, the longest first,
 *    then any path; of two that begin alike a regular expression before a glob before a prefix;
 * 4. within that the rule with more conditions, and at last the one that comes first in the list.
 *
 * Two rules of the same priority are ordered by 2 to 4. The first rule whose conditions all hold is the one.
 */
export class RuleTable<T> {
  readonly #prioritised: HostIndex<T>;
  readonly #others: HostIndex<T>;

  constructor(entries: readonly Entry<T>[]) {
    this.#prioritised = new HostIndex(entries.filter(({ priority }) => priority !== undefined));
    this.#others = new HostIndex(entries.filter(({ priority }) => priority === undefined));
  }

  /** `path`: in its normal form. `request.host`: in lower case, without port and trailing dot. */
  find(request: RequestView, path: string): T | undefined {
    const holds = ({ conditions }: Entry<T>): boolean => {
      for (let i = 0; i < conditions.length; i++) if (!conditions[i]!.holds(request)) return false;
      return true;
    };
    return this.#first(request.host, path, holds)?.value;
  }

  /** Every rule for this host and path, in the order of precedence. */
  candidates(host: string, path: string): Entry<T>[] {
    const found: Entry<T>[] = [];
    this.#prioritised.visit(host, path, (entry) => {
      found.push(entry);
      return false;
    });
    found.sort((a, b) => a.priority! - b.priority!);
    this.#others.visit(host, path, (entry) => {
      found.push(entry);
      return false;
    });
    return found;
  }

  #first(host: string, path: string, holds: Visit<T>): Entry<T> | undefined {
    let best: Entry<T> | undefined;
    if (!this.#prioritised.isEmpty) {
      this.#prioritised.visit(host, path, (entry) => {
        const isBetter = best === undefined || entry.priority! < best.priority!;
        if (isBetter && holds(entry)) best = entry;
        return false;
      });
      if (best !== undefined) return best;
    }
    return this.#others.visit(host, path, holds);
  }
}

/** Rules by host. */
class HostIndex<T> {
  readonly isEmpty: boolean;
  readonly #exact = new Map<string, PathIndex<T>>();
  readonly #suffixes = new Map<string, PathIndex<T>>();
  readonly #any: PathIndex<T> | undefined;

  constructor(entries: readonly Entry<T>[]) {
    this.isEmpty = entries.length === 0;
    const byHost = new Map<string | undefined, Entry<T>[]>();
    for (const entry of entries) {
      const host = hostKey(entry.host);
      const same = byHost.get(host);
      if (same === undefined) byHost.set(host, [entry]);
      else same.push(entry);
    }
    for (const [host, own] of byHost) {
      const index = new PathIndex(own);
      if (host === undefined) this.#any = index;
      else if (host.startsWith('*.')) this.#suffixes.set(host.slice(2), index);
      else this.#exact.set(host, index);
    }
  }

  visit(host: string, path: string, visit: Visit<T>): Entry<T> | undefined {
    const exact = this.#exact.get(host)?.visit(path, visit);
    if (exact !== undefined) return exact;
    if (this.#suffixes.size > 0) {
      const first = host.indexOf('.');
      const visitDeep: Visit<T> = (entry) => entry.hostDepth !== 'one' && visit(entry);
      for (let dot = first; dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const own = this.#suffixes.get(host.slice(dot + 1));
        const found = own?.visit(path, dot === first ? visit : visitDeep);
        if (found !== undefined) return found;
      }
    }
    return this.#any?.visit(path, visit);
  }
}

/** Rules of one host, by path. */
class PathIndex<T> {
  readonly #exact = new Map<string, Entry<T>[]>();
  /** By what all their paths begin with. */
  readonly #patterns = new Map<string, Entry<T>[]>();
  /** The lengths of these beginnings, the longest first. */
  readonly #lengths: readonly number[];
  readonly #any: Entry<T>[] = [];

  constructor(entries: readonly Entry<T>[]) {
    for (const entry of entries) this.#listFor(entry).push(entry);
    const lists = [...this.#exact.values(), ...this.#patterns.values(), this.#any];
    for (const list of lists) list.sort(byPrecedence);
    const lengths = new Set(Array.from(this.#patterns.keys(), ({ length }) => length));
    this.#lengths = [...lengths].toSorted((a, b) => b - a);
  }

  visit(path: string, visit: Visit<T>): Entry<T> | undefined {
    const exact = firstOf(this.#exact.get(path), visit);
    if (exact !== undefined) return exact;
    const lengths = this.#lengths;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (length > path.length) continue;
      const list = this.#patterns.get(path.slice(0, length));
      if (list === undefined) continue;
      const found = firstOf(list, (entry) => entry.path!.matches(path) && visit(entry));
      if (found !== undefined) return found;
    }
    return firstOf(this.#any, visit);
  }

  #listFor({ path }: Entry<T>): Entry<T>[] {
    if (path === undefined) return this.#any;
    const lists = path.kind === 'exact' ? this.#exact : this.#patterns;
    let list = lists.get(path.literal);
    if (list === undefined) {
      list = [];
      lists.set(path.literal, list);
    }
    return list;
  }
}

function firstOf<T>(list: readonly Entry<T>[] | undefined, visit: Visit<T>): Entry<T> | undefined {
  if (list === undefined) return undefined;
  for (let i = 0; i < list.length; i++) if (visit(list[i]!)) return list[i];
  return undefined;
}
