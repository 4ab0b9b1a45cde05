import { readFileSync } from 'node:fs';
import { conditionsOf } from '../matching/conditions.ts';
import { normalPath } from '../matching/normal-path.ts';
import { pathPattern } from '../matching/path-pattern.ts';
import { parseUsers } from '../passwords/password-file.ts';
import { isMapping, listAt, type Mapping } from './mapping.ts';
import { type ConfigProblem, formatPath } from './problem.ts';
import type { RuleConfig } from './rule-schema.ts';

type Path = readonly PropertyKey[];

const ACTIONS = ['targetGroup', 'forward', 'fixedResponse', 'redirect'] as const;
/** What only makes sense where a target gets the request. */
const FORWARDED = ['bodyBytes', 'rewrite', 'requestHeaders', 'responseHeaders'] as const;

/** Faults of the rules of a listener. `groups`: the names of the target groups. */
export function ruleProblems(
  listener: Mapping,
  path: Path,
  groups: ReadonlySet<string>,
): ConfigProblem[] {
  const rules = listAt(listener, ['rules']).map((rule, index) => {
    return { rule, at: [...path, 'rules', index] as Path };
  });
  return [
    ...rules.flatMap(({ rule, at }) => [
      ...actionProblems(rule, at, groups),
      ...patternProblems(rule, at),
      ...gateProblems(rule, at),
    ]),
    ...doubles(rules),
  ];
}

/** Faults of one action. */
export function actionProblems(
  action: unknown,
  path: Path,
  groups: ReadonlySet<string>,
): ConfigProblem[] {
  if (!isMapping(action)) return [];
  const given = ACTIONS.filter((name) => action[name] !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? 'none' : given.join(' and ');
    const message = `no single action, got ${got}, expected one of ${ACTIONS.join(', ')}`;
    return [{ path, at: 'value', message }];
  }
  const isForwarded = given[0] === 'targetGroup' || given[0] === 'forward';
  return [
    ...groupProblem(action['targetGroup'], [...path, 'targetGroup'], groups),
    ...shareProblems(action, path, groups),
    ...(isForwarded
      ? []
      : FORWARDED.flatMap((key) => useless(action, key, path, 'a target group'))),
  ];
}

function shareProblems(action: Mapping, path: Path, groups: ReadonlySet<string>): ConfigProblem[] {
  const shares = listAt(action, ['forward']);
  if (action['forward'] === undefined)
    return useless(action, 'groupStickiness', path, 'forward, with several target groups');
  const named = shares.flatMap(({ targetGroup }, at) =>
    groupProblem(targetGroup, [...path, 'forward', at, 'targetGroup'], groups),
  );
  const isNothing = shares.length > 0 && shares.every(({ weight }) => weight === 0);
  const message = 'bad weights, got 0 for each, expected one above 0';
  return isNothing ? [...named, { path: [...path, 'forward'], at: 'value', message }] : named;
}

function groupProblem(name: unknown, path: Path, groups: ReadonlySet<string>): ConfigProblem[] {
  if (typeof name !== 'string' || groups.has(name)) return [];
  const known =
    groups.size === 0 ? 'a group under targetGroups' : `one of ${[...groups].join(', ')}`;
  const message = `no such target group, got ${JSON.stringify(name)}, expected ${known}`;
  return [{ path, at: 'value', message }];
}

function useless(action: Mapping, key: string, path: Path, expected: string): ConfigProblem[] {
  if (action[key] === undefined) return [];
  const message = `of no use without it, expected it together with ${expected}`;
  return [{ path: [...path, key], at: 'key', message }];
}

function patternProblems(rule: Mapping, path: Path): ConfigProblem[] {
  return [
    ...compileProblems(rule, path),
    ...normalProblems(rule['path'], [...path, 'path']),
    ...prefixProblems(rule, path),
    ...depthProblems(rule, path),
  ];
}

function depthProblems({ host, hostDepth }: Mapping, path: Path): ConfigProblem[] {
  if (hostDepth === undefined || (isText(host) && (host as string).startsWith('*.'))) return [];
  const message = 'of no use, expected it together with a host like *.example';
  return [{ path: [...path, 'hostDepth'], at: 'key', message }];
}

function compileProblems(rule: Mapping, path: Path): ConfigProblem[] {
  const given = rule as unknown as RuleConfig;
  const places: [Path, () => unknown][] = [
    [[...path, 'path'], () => pathPattern(isPathConfig(given.path) ? given.path : undefined)],
    ...(['headers', 'query'] as const).flatMap((key) =>
      Object.entries(isMapping(given[key]) ? given[key] : {})
        .filter(([, wanted]) => isMapping(wanted) && isText((wanted as Mapping)['regex']))
        .map(([name, wanted]): [Path, () => unknown] => [
          [...path, key, name, 'regex'],
          () => conditionsOf({ [key]: { [name]: wanted } }),
        ]),
    ),
  ];
  return places.flatMap(([at, compile]) => {
    try {
      compile();
      return [];
    } catch (error) {
      const { message } = error as Error;
      return [{ path: at, at: 'value' as const, message: `bad regular expression: ${message}` }];
    }
  });
}

function isPathConfig(path: unknown): boolean {
  if (typeof path === 'string') return true;
  return isMapping(path) && Object.values(path).length === 1 && Object.values(path).every(isText);
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** Rules see paths in their normal form, so that one in another form would never match. */
function normalProblems(path: unknown, at: Path): ConfigProblem[] {
  const [literal] = isMapping(path) ? [path['exact'] ?? path['prefix']] : [path];
  if (typeof literal !== 'string' || !literal.startsWith('/')) return [];
  const normal = normalPath(literal);
  if (normal === literal) return [];
  const expected = normal === undefined ? 'a path without an encoded / or \\' : normal;
  const message = `not in its normal form, got ${JSON.stringify(literal)}, expected ${expected}`;
  return [{ path: at, at: 'value', message }];
}

function prefixProblems({ path: rulePath, rewrite, redirect }: Mapping, at: Path): ConfigProblem[] {
  const isPrefix =
    (typeof rulePath === 'string' && rulePath.endsWith('/*')) ||
    (isMapping(rulePath) && rulePath['prefix'] !== undefined);
  return Object.entries({ rewrite, redirect }).flatMap(([key, change]) => {
    if (!isMapping(change) || change['prefix'] === undefined) return [];
    const where = [...at, key, 'prefix'];
    if (change['path'] !== undefined) {
      const message = 'of no use beside path, expected one of both';
      return [{ path: where, at: 'key' as const, message }];
    }
    if (isPrefix) return [];
    const message = 'the rule is for no prefix, expected path: /prefix/*';
    return [{ path: where, at: 'key' as const, message }];
  });
}

function gateProblems({ basicAuth }: Mapping, at: Path): ConfigProblem[] {
  const file = isMapping(basicAuth) ? basicAuth['usersFile'] : undefined;
  if (typeof file !== 'string') return [];
  try {
    parseUsers(readFileSync(file, 'utf8'));
    return [];
  } catch (error) {
    const message = `bad file, got ${JSON.stringify(file)}: ${(error as Error).message}`;
    return [{ path: [...at, 'basicAuth', 'usersFile'], at: 'value', message }];
  }
}

/** Of two rules for the same requests the second would never be used. */
function doubles(rules: readonly { readonly rule: Mapping; readonly at: Path }[]): ConfigProblem[] {
  const seen = new Map<string, Path>();
  const names = new Map<string, Path>();
  return rules.flatMap(({ rule, at }) => {
    const { host = '*', hostDepth = 'any', path = '/*', priority, name } = rule;
    const { methods, headers, query, sources } = rule;
    const conditions = { methods, headers, query, sources };
    const what = JSON.stringify([
      String(host).toLowerCase(),
      hostDepth,
      path,
      priority,
      conditions,
    ]);
    const first = seen.get(what);
    const sameName = typeof name === 'string' ? names.get(name) : undefined;
    if (first === undefined) seen.set(what, at);
    if (typeof name === 'string' && sameName === undefined) names.set(name, at);
    const matched = `host ${String(host).toLowerCase()} and path ${typeof path === 'string' ? path : JSON.stringify(path)}`;
    const isPlain = Object.values(conditions).every((one) => one === undefined);
    const shown = isPlain ? matched : `${matched} and the same conditions`;
    return [
      ...(first === undefined ? [] : [twice(`rule used twice, got ${shown}`, first, at)]),
      ...(sameName === undefined
        ? []
        : [twice(`name used twice, got ${String(name)}`, [...sameName, 'name'], [...at, 'name'])]),
    ];
  });
}

function twice(message: string, first: Path, path: Path): ConfigProblem {
  const text = `${message}, expected another than that of ${formatPath(first)}`;
  return { path, at: 'value', message: text };
}
