import type { Entry } from '../matching/entry.ts';
import { entriesOf } from '../matching/rule-entries.ts';
import { reviewRules } from '../matching/rule-review.ts';
import { type ConfigProblem, formatPath, type PlaceOf } from './problem.ts';
import type { RuleConfig } from './rule-schema.ts';
import type { Config } from './schema.ts';

/** Rules that can never match, and those whose place in the file decides. */
export function ruleWarnings(
  { listeners }: Config,
  placeOf: PlaceOf,
  mostRules: number,
): ConfigProblem[] {
  return listeners.flatMap(({ rules }, at) => {
    if (rules.length > mostRules) return [tooMany(['listeners', at, 'rules'], rules.length)];
    const pathOf = ({ index }: Entry<RuleConfig>) => ['listeners', at, 'rules', index];
    return reviewRules(entriesOf(rules)).map(({ kind, rule, other }): ConfigProblem => {
      const path = pathOf(other);
      const { name } = other.value;
      const label = name === undefined ? formatPath(path) : `${formatPath(path)} (${name})`;
      const place = `${label} at ${placeOf(path)}`;
      const message =
        kind === 'never'
          ? `can never match, because ${place} goes first and takes every request that it is for`
          : `has the same precedence as ${place}, which takes what both are for, because it comes first in the file`;
      return { path: pathOf(rule), at: 'value', message };
    });
  });
}

function tooMany(path: readonly PropertyKey[], count: number): ConfigProblem {
  const message = `has ${count} rules, which are not compared with each other while requests wait: --check does it`;
  return { path, at: 'value', message };
}
