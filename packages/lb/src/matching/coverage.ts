import { hostKey } from './host-pattern.ts';
import type { Condition, Wish } from './conditions.ts';
import type { PathPattern } from './path-pattern.ts';
import type { Entry } from './entry.ts';

// When one rule is said to cover another, it does. Not every such pair is found: expressions are compared by their text.

/** What a rule is for. */
export type Claim = Pick<Entry<unknown>, 'host' | 'hostDepth' | 'path' | 'conditions'>;

/** Whether every request that `narrow` is for is one that `wide` is for too. */
export function covers(wide: Claim, narrow: Claim): boolean {
  return (
    coversHost(wide, narrow) &&
    coversPath(wide.path, narrow.path) &&
    coversConditions(wide.conditions, narrow.conditions)
  );
}

function coversHost(wide: Claim, narrow: Claim): boolean {
  const [outer, inner] = [hostKey(wide.host), hostKey(narrow.host)];
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  if (!outer.startsWith('*.')) return outer === inner;
  const suffix = outer.slice(1);
  if (wide.hostDepth === 'one') {
    if (inner.startsWith('*.')) return inner === outer && narrow.hostDepth === 'one';
    return inner.endsWith(suffix) && inner.indexOf('.') === inner.length - suffix.length;
  }
  // `*.b.test` ends with `.test` too.
  return inner.endsWith(suffix);
}

/** The same for paths. Undefined: any path. */
export function coversPath(
  wide: PathPattern | undefined,
  narrow: PathPattern | undefined,
): boolean {
  if (wide === undefined) return true;
  const { kind, text } = wide.shape;
  // The asterisk of `OPTIONS *` is a path as well.
  if (narrow === undefined) return kind === 'beginning' && text === '';
  const inner = narrow.shape;
  if (inner.kind === 'one') return inner.text.startsWith(wide.literal) && wide.matches(inner.text);
  if (kind === 'beginning') return narrow.literal.startsWith(text);
  if (kind === 'below') {
    const isSame = inner.kind === 'below' && inner.text === text;
    return isSame || narrow.literal.startsWith(`${text}/`);
  }
  return kind === 'expression' && inner.kind === 'expression' && inner.text === text;
}

function coversConditions(wide: readonly Condition[], narrow: readonly Condition[]): boolean {
  return wide.every((wanted) => narrow.some((given) => implies(given, wanted)));
}

function implies(given: Condition, wanted: Condition): boolean {
  if (given.subject !== wanted.subject) return false;
  const [from, to] = [given.wish, wanted.wish];
  if (from.kind === 'methods' && to.kind === 'methods')
    return [...from.of].every((method) => to.of.has(method));
  if (from.kind === 'sources' && to.kind === 'sources')
    return from.of.every((inner) => isWithinOne(inner, to));
  return from.kind === 'text' && to.kind === 'text' && impliesText(from, to);
}

/** Whether a network is part of one of the others. */
function isWithinOne(inner: string, { of }: Extract<Wish, { kind: 'sources' }>): boolean {
  return of.some((outer) => inner.startsWith(outer));
}

type TextCondition = Extract<Wish, { kind: 'text' }>;

function impliesText({ of: given }: TextCondition, { of: wanted, isIt }: TextCondition): boolean {
  if (typeof given === 'string') return isIt(given);
  if ('present' in given && !given.present) return isIt(undefined);
  if (typeof wanted === 'string') return false;
  if ('present' in wanted) return wanted.present;
  return 'regex' in given && given.regex === wanted.regex;
}

/**
 * Whether there is a request that both are for, if they have the same precedence. Not always said: two different
 * expressions are not compared. That an expression matches something at all is taken for granted.
 */
export function overlap(a: Claim, b: Claim): boolean {
  return (
    overlapPaths(a.path, b.path) &&
    a.conditions.every((one) => b.conditions.every((other) => mayHoldWith(one, other)))
  );
}

/** Both paths begin with the same text and are of the same kind. */
function overlapPaths(a: PathPattern | undefined, b: PathPattern | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return coversPath(a, b) || coversPath(b, a);
}

function mayHoldWith(one: Condition, other: Condition): boolean {
  if (one.subject !== other.subject) return true;
  const [a, b] = [one.wish, other.wish];
  if (a.kind === 'methods' && b.kind === 'methods')
    return [...a.of].some((method) => b.of.has(method));
  if (a.kind === 'sources' && b.kind === 'sources')
    return a.of.some((x) => isWithinOne(x, b)) || b.of.some((y) => isWithinOne(y, a));
  return implies(one, other) || implies(other, one);
}
