import { conditionsOf, type Wishes } from './conditions.ts';
import { type PathConfig, pathPattern } from './path-pattern.ts';
import type { Entry } from './entry.ts';

/** The part of a rule by which it is found. */
export interface RuleClaims extends Wishes {
  readonly host?: string | undefined;
  readonly hostDepth?: 'one' | 'any' | undefined;
  readonly path?: PathConfig | undefined;
  readonly priority?: number | undefined;
}

/** Rules as a table knows them. @throws Error when a rule has a regular expression that is none. */
export function entriesOf<T extends RuleClaims>(rules: readonly T[]): Entry<T>[] {
  return rules.map((value, index) => ({
    host: value.host,
    hostDepth: value.hostDepth,
    path: pathPattern(value.path),
    conditions: conditionsOf(value),
    priority: value.priority,
    index,
    value,
  }));
}
