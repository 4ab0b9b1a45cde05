import { hostKey } from './host-pattern.ts';
import type { Entry } from './entry.ts';

/** Orders rules for the same host and paths that begin alike. */
export function byPrecedence<T>(a: Entry<T>, b: Entry<T>): number {
  const byKind = (a.path?.rank ?? 0) - (b.path?.rank ?? 0);
  if (byKind !== 0) return byKind;
  return b.conditions.length - a.conditions.length || a.index - b.index;
}

/** Whether the first one is tried before the second, for requests whose host and path both are for. */
export function precedes<T>(a: Entry<T>, b: Entry<T>): boolean {
  const order =
    priorityOf(a) - priorityOf(b) ||
    hostRank(b) - hostRank(a) ||
    pathRank(b) - pathRank(a) ||
    byPrecedence(a, b);
  return order < 0;
}

/** Rules with the same key are tried in the order of the list. */
export function precedenceKey<T>(entry: Entry<T>): string {
  const { host, path, conditions, priority } = entry;
  return JSON.stringify([priority, hostKey(host), path?.rank, path?.literal, conditions.length]);
}

const priorityOf = <T>({ priority }: Entry<T>): number => priority ?? Number.MAX_SAFE_INTEGER;

/** Of two wildcards that stand for the same host, the longer one is the more specific one. */
function hostRank<T>({ host }: Entry<T>): number {
  const key = hostKey(host);
  if (key === undefined) return -1;
  return key.startsWith('*.') ? key.length : Number.MAX_SAFE_INTEGER;
}

function pathRank<T>({ path }: Entry<T>): number {
  if (path === undefined) return -1;
  return path.kind === 'exact' ? Number.MAX_SAFE_INTEGER : path.literal.length;
}
