import { isLoopback } from './loopback.ts';
import { isMapping, listAt, type Mapping, mappingsAt } from './mapping.ts';
import { type ConfigProblem, formatPath, valueAt } from './problem.ts';
import { actionProblems, ruleProblems } from './rule-problems.ts';

/**
 * Faults that no single value shows: references to unknown names, rules that can never match, duplicate addresses.
 * Checks the raw data of the file, so that these are reported together with values of a wrong shape.
 */
export function referenceProblems(data: unknown): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const groups = valueAt(data, ['targetGroups']);
  const names = new Set(Object.keys(isMapping(groups) ? groups : {}));
  const seen = { names: new Map<string, string>(), addresses: new Map<string, string>() };
  const admin = valueAt(data, ['admin']);
  const withDefaults = { port: 7_480, ...(isMapping(admin) ? admin : {}) };
  problems.push(...addressProblems(seen.addresses, withDefaults, ['admin']));
  problems.push(...adminProblems(withDefaults));
  const listeners = listAt(data, ['listeners']);
  for (const [index, listener] of listeners.entries()) {
    const path = ['listeners', index];
    problems.push(...duplicate(seen.names, listener['name'], [...path, 'name'], 'name'));
    problems.push(...addressProblems(seen.addresses, listener, path));
    if (listener['default'] !== undefined) {
      problems.push(...actionProblems(listener['default'], [...path, 'default'], names));
    }
    problems.push(...ruleProblems(listener, path, names));
  }
  problems.push(...ingressProblems(data, [...seen.names.keys()]));
  const registry = valueAt(data, ['registry']);
  if (isMapping(registry) && (registry['cert'] === undefined) !== (registry['key'] === undefined)) {
    const message = 'bad value, one of cert and key, expected both or neither';
    problems.push({ path: ['registry'], at: 'key', message });
  }
  if (registry === undefined && needsRegistry(data)) {
    problems.push({ path: ['registry'], at: 'value', message: 'missing, expected a mapping' });
  }
  if (isIdle(data)) {
    const message =
      'bad value, got [], expected at least one listener, or loadBalancerServices besides';
    problems.push({ path: ['listeners'], at: 'value', message });
  }
  return problems;
}

/** Faults of the key `ingress`. `names`: those of the listeners. */
function ingressProblems(data: unknown, names: readonly string[]): ConfigProblem[] {
  const path = ['ingress', 'listener'];
  const given = valueAt(data, path);
  const meant = Array.isArray(given) ? given : [given];
  return meant.flatMap((name: unknown, index) => {
    if (typeof name !== 'string' || names.includes(name)) return [];
    const message = `no such listener, got ${JSON.stringify(name)}, expected one of ${names.join(', ')}`;
    return [
      { path: Array.isArray(given) ? [...path, index] : path, at: 'value' as const, message },
    ];
  });
}

function needsRegistry(data: unknown): boolean {
  if (!isMapping(data)) return false;
  if (data['ingress'] !== undefined || data['loadBalancerServices'] !== undefined) return true;
  return mappingsAt(data, ['targetGroups']).some(([, { service }]) => service !== undefined);
}

function isIdle(data: unknown): boolean {
  const listeners = valueAt(data, ['listeners']);
  const isEmpty = Array.isArray(listeners) && listeners.length === 0;
  return isEmpty && valueAt(data, ['loadBalancerServices']) === undefined;
}

function addressProblems(
  seen: Map<string, string>,
  { host = '127.0.0.1', port }: Mapping,
  path: readonly PropertyKey[],
): ConfigProblem[] {
  if (typeof port !== 'number' || port === 0) return [];
  return duplicate(seen, `${String(host)}:${port}`, [...path, 'port'], 'address');
}

function adminProblems({ host, insecure }: Mapping): ConfigProblem[] {
  if (typeof host !== 'string' || isLoopback(host) || insecure === true) return [];
  const message =
    `reachable from outside, got ${JSON.stringify(host)}, ` +
    'expected a loopback address, or admin.insecure: true';
  return [{ path: ['admin', 'host'], at: 'value', message }];
}

function duplicate(
  seen: Map<string, string>,
  value: unknown,
  path: readonly PropertyKey[],
  what: string,
): ConfigProblem[] {
  if (typeof value !== 'string') return [];
  const first = seen.get(value);
  if (first === undefined) {
    seen.set(value, formatPath(path));
    return [];
  }
  const message = `${what} used twice, got ${value}, expected another than that of ${first}`;
  return [{ path, at: 'value', message }];
}
