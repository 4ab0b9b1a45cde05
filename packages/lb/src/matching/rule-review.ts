import { type Claim, covers, coversPath, overlap } from './coverage.ts';
import { hostKey, widerKeys } from './host-pattern.ts';
import type { Condition } from './conditions.ts';
import { precedenceKey, precedes } from './precedence.ts';
import type { Entry } from './entry.ts';

/** A rule is compared with this many others at most: more would take long, and rarely find something. */
const MOST_COMPARED = 200;
/** After this many overlaps that are settled by a third rule, no more overlaps of a rule are looked for. */
const MOST_SETTLED = 20;

/** What is odd about a rule. */
export interface RuleFinding<T> {
  /**
   * - `never`: it is never chosen, because another one is tried before it and is for all of its requests
   * - `order`: some requests are for it and for another one of the same precedence, which comes first in the list
   */
  readonly kind: 'never' | 'order';
  readonly rule: Entry<T>;
  readonly other: Entry<T>;
}

/** Finds rules that are never chosen, and those whose place in the list matters. What it says is right, but it does not find everything. */
export function reviewRules<T>(rules: readonly Entry<T>[]): RuleFinding<T>[] {
  const index = new ClaimIndex(rules);
  const equals = Map.groupBy(rules, precedenceKey);
  return rules.flatMap((rule): RuleFinding<T>[] => {
    const first = index.firstBefore(rule, rule);
    if (first !== undefined) return [{ kind: 'never', rule, other: first }];
    const other = overlapped(rule, equals.get(precedenceKey(rule)) ?? [], index);
    return other === undefined ? [] : [{ kind: 'order', rule, other }];
  });
}

/** An earlier rule of the same precedence that is for some of its requests. */
function overlapped<T>(
  rule: Entry<T>,
  equals: readonly Entry<T>[],
  index: ClaimIndex<T>,
): Entry<T> | undefined {
  let settled = 0;
  for (const other of equals.slice(0, MOST_COMPARED)) {
    if (other === rule || settled === MOST_SETTLED) return undefined;
    if (!overlap(rule, other)) continue;
    // A third rule that takes what both are for settles it.
    if (index.firstBefore(both(rule, other), other) === undefined) return other;
    settled++;
  }
  return undefined;
}

/** The requests that both are for: with the narrower host and the narrower path of the two. */
function both<T>(a: Entry<T>, b: Entry<T>): Claim {
  const { host, hostDepth } = a.hostDepth === 'one' ? a : b;
  const { path } = coversPath(b.path, a.path) ? a : b;
  return { host, hostDepth, path, conditions: [...a.conditions, ...b.conditions] };
}

type ByWords<T> = Map<string, Entry<T>[]>;
type ByPath<T> = Map<string | undefined, ByWords<T>>;

/** Rules, found by what they must have in common with the rules that they cover. */
class ClaimIndex<T> {
  readonly #byHost = new Map<string | undefined, ByPath<T>>();

  constructor(rules: readonly Entry<T>[]) {
    for (const rule of rules) {
      const byPath = of(this.#byHost, hostKey(rule.host), () => new Map() as ByPath<T>);
      const byWords = of(byPath, rule.path?.literal, () => new Map() as ByWords<T>);
      of(byWords, rule.conditions.find(isExact)?.words ?? '', () => []).push(rule);
    }
  }

  /** A rule that is tried before `rule` and takes every request of the claim. */
  firstBefore(claim: Claim, rule: Entry<T>): Entry<T> | undefined {
    let compared = 0;
    for (const wide of this.#candidates(claim)) {
      if (++compared > MOST_COMPARED) return undefined;
      if (wide !== rule && precedes(wide, rule) && covers(wide, claim)) return wide;
    }
    return undefined;
  }

  *#candidates({ host, path, conditions }: Claim): Generator<Entry<T>> {
    // Whoever asks for one value of a field covers only those that ask for the same.
    const words = ['', ...conditions.filter(isExact).map((one) => one.words)];
    for (const key of widerKeys(hostKey(host))) {
      const byPath = this.#byHost.get(key);
      if (byPath === undefined) continue;
      for (const beginning of beginningsOf(path?.literal)) {
        const byWords = byPath.get(beginning);
        if (byWords === undefined) continue;
        for (const one of words) yield* byWords.get(one) ?? [];
      }
    }
  }
}

/** The possible beginnings of a pattern that covers one whose paths begin with `literal`. */
function* beginningsOf(literal: string | undefined): Generator<string | undefined> {
  yield undefined;
  for (let length = 0; length <= (literal?.length ?? 0); length++)
    yield literal?.slice(0, length) ?? '';
}

function isExact({ wish }: Condition): boolean {
  return wish.kind === 'text' && typeof wish.of === 'string';
}

function of<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
