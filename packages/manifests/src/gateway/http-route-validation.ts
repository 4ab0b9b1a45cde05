import { isIP } from 'node:net';
import { type FieldError, invalid, notSupported, required } from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { checkPortNumber, checkSubdomain1123 } from '../meta/names.ts';
import { checkFieldName, validateFilters } from './filter-validation.ts';
import type { HTTPRoute, NamedMatch, RouteBackend, RouteMatch, RouteRule } from './http-route.ts';

const METHODS = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];
const PATH_TYPES = ['Exact', 'PathPrefix', 'RegularExpression'];
const VALUE_TYPES = ['Exact', 'RegularExpression'];
const MAX = { items: 16, parents: 32, matches: 64, path: 1_024, weight: 1_000_000 } as const;
const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

/** What a path may not contain, and what it may not end with. */
const IN_PATH = ['//', '/./', '/../', '%2f', '%2F', '#'];
const AT_END = ['/..', '/.'];

/** Every fault of a route that has its defaults, by the rules of the Gateway API's definition of the kind. */
export function validateHttpRoute({ metadata, spec = {} }: HTTPRoute): FieldError[] {
  const { parentRefs = [], hostnames = [], rules = [] } = spec;
  return [
    ...validateMeta(metadata, checkSubdomain1123),
    ...atMost(parentRefs, MAX.parents, 'spec.parentRefs'),
    ...parentRefs.flatMap(({ name, port }, i) => {
      const at = `spec.parentRefs[${i}]`;
      return [
        ...(name === undefined || name === '' ? [required(`${at}.name`)] : []),
        ...(port === undefined ? [] : portFaults(port, `${at}.port`)),
      ];
    }),
    ...atMost(hostnames, MAX.items, 'spec.hostnames'),
    ...hostnames.flatMap((host, i) => hostFaults(host, `spec.hostnames[${i}]`)),
    ...atMost(rules, MAX.items, 'spec.rules'),
    ...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)),
  ];
}

function validateRule(rule: RouteRule, at: string): FieldError[] {
  const { matches = [], filters = [], backendRefs = [], timeouts = {} } = rule;
  const faults = [
    ...atMost(matches, MAX.matches, `${at}.matches`),
    ...matches.flatMap((match, i) => validateMatch(match, `${at}.matches[${i}]`)),
    ...atMost(filters, MAX.items, `${at}.filters`),
    ...validateFilters(filters, `${at}.filters`, matches),
    ...atMost(backendRefs, MAX.items, `${at}.backendRefs`),
    ...backendRefs.flatMap((ref, i) => validateBackend(ref, `${at}.backendRefs[${i}]`, matches)),
  ];
  if (backendRefs.length > 0 && filters.some(({ type }) => type === 'RequestRedirect')) {
    const message = 'RequestRedirect filter must not be used together with backendRefs';
    faults.push(invalid(at, 'object', message));
  }
  for (const [name, value] of Object.entries(timeouts)) {
    if (value === undefined || DURATION.test(value)) continue;
    const message = `spec.rules.timeouts.${name} in body should match '${DURATION.source}'`;
    faults.push(invalid(`${at}.timeouts.${name}`, value, message));
  }
  return faults;
}

function validateMatch({ path, headers = [], queryParams = [], method }: RouteMatch, at: string) {
  const faults: FieldError[] = [
    ...(path === undefined ? [] : pathFaults(path, `${at}.path`)),
    ...atMost(headers, MAX.items, `${at}.headers`),
    ...headers.flatMap((one, i) => namedFaults(one, `${at}.headers[${i}]`)),
    ...atMost(queryParams, MAX.items, `${at}.queryParams`),
    ...queryParams.flatMap((one, i) => namedFaults(one, `${at}.queryParams[${i}]`)),
  ];
  if (method !== undefined && !METHODS.includes(method))
    faults.push(notSupported(`${at}.method`, method, METHODS));
  return faults;
}

function pathFaults({ type = '', value = '' }: NonNullable<RouteMatch['path']>, at: string) {
  if (!PATH_TYPES.includes(type)) return [notSupported(`${at}.type`, type, PATH_TYPES)];
  if (value.length > MAX.path)
    return [invalid(`${at}.value`, value.slice(0, 20), `should be at most ${MAX.path} chars long`)];
  if (type === 'RegularExpression') return [];
  const faults: FieldError[] = [];
  const refuse = (what: string) =>
    faults.push(invalid(at, 'object', `${what} when type one of ['Exact', 'PathPrefix']`));
  if (!value.startsWith('/')) refuse("value must be an absolute path and start with '/'");
  for (const part of IN_PATH) if (value.includes(part)) refuse(`must not contain '${part}'`);
  for (const end of AT_END) if (value.endsWith(end)) refuse(`must not end with '${end}'`);
  return faults;
}

function namedFaults({ type = '', name, value = '' }: NamedMatch, at: string): FieldError[] {
  return [
    ...(VALUE_TYPES.includes(type) ? [] : [notSupported(`${at}.type`, type, VALUE_TYPES)]),
    ...checkFieldName(name, `${at}.name`),
    ...(value === '' ? [required(`${at}.value`)] : []),
  ];
}

function validateBackend(backend: RouteBackend, at: string, matches: readonly RouteMatch[]) {
  const { group, kind, name, port, weight = 1, filters = [] } = backend;
  const faults: FieldError[] = validateFilters(filters, `${at}.filters`, matches);
  if (name === undefined || name === '') faults.push(required(`${at}.name`));
  if (port !== undefined) faults.push(...portFaults(port, `${at}.port`));
  else if (group === '' && kind === 'Service')
    faults.push(invalid(at, 'object', 'Must have port for Service reference'));
  if (weight < 0 || weight > MAX.weight)
    faults.push(invalid(`${at}.weight`, weight, `must be between 0 and ${MAX.weight}, inclusive`));
  return faults;
}

function hostFaults(host: string, at: string): FieldError[] {
  if (isIP(host) !== 0) return [invalid(at, host, 'must be a host name, not an IP address')];
  return checkSubdomain1123(host.replace(/^\*\./, '')).map((fault) => invalid(at, host, fault));
}

function portFaults(port: number, at: string): FieldError[] {
  return checkPortNumber(port).map((fault) => invalid(at, port, fault));
}

function atMost(list: readonly unknown[], max: number, at: string): FieldError[] {
  if (list.length <= max) return [];
  return [invalid(at, list.length, `must have at most ${max} items`)];
}
