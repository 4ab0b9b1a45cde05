import type { Decision, RequestView, Respond, Router } from '@rollcall/dataplane';
import type { ListenerConfig } from '../config/schema.ts';
import { conditionsOf } from '../matching/conditions.ts';
import type { Entry } from '../matching/entry.ts';
import { normalPath } from '../matching/normal-path.ts';
import { pathPattern } from '../matching/path-pattern.ts';
import { RuleTable } from '../matching/rule-table.ts';
import { createRule, type RuleParts } from './create-rule.ts';
import type { Rule } from './rule.ts';

const NO_RULE: Respond = Object.freeze({
  kind: 'respond',
  status: 404,
  code: 'no_rule',
  detail: 'no rule of this listener matches the request',
});

const AMBIGUOUS: Respond = Object.freeze({
  kind: 'respond',
  status: 400,
  code: 'ambiguous_path',
  detail:
    'the path can be read in several ways: it has an encoded / or \\, or leads above the root',
});

/** The rules of one listener. */
export class ListenerRouter implements Router {
  readonly table: RuleTable<Rule>;
  readonly #default: Rule | undefined;

  /** @throws Error when a rule names a group that is not in `groups`, or has a regular expression that is none. */
  constructor(listener: ListenerConfig, parts: RuleParts) {
    const entries = listener.rules.map((config, index): Entry<Rule> => {
      const { host, hostDepth, path, priority, name = `rules[${index}]` } = config;
      const pattern = pathPattern(path);
      const key = `${listener.name}/${name}`;
      const value = createRule(config, { name, key, pattern }, parts);
      const conditions = conditionsOf(config);
      return { host, hostDepth, path: pattern, conditions, priority, index, value };
    });
    this.table = new RuleTable(entries);
    const fallback = listener.default;
    const place = { name: 'default', key: `${listener.name}/default`, pattern: undefined };
    this.#default = fallback === undefined ? undefined : createRule(fallback, place, parts);
  }

  route(request: RequestView): Decision {
    const { path } = request;
    // `OPTIONS *` has none.
    const normal = path === '*' ? path : normalPath(path);
    if (normal === undefined) return AMBIGUOUS;
    const rule = this.table.find(request, normal) ?? this.#default;
    return rule === undefined ? NO_RULE : rule.decide(request, normal);
  }
}
