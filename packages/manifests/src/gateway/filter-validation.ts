import { type FieldError, invalid, notSupported, required, tooLong } from '../meta/field-error.ts';
import { checkPortNumber, checkSubdomain1123 } from '../meta/names.ts';
import type { PathModifier, RouteFilter, RouteMatch } from './http-route.ts';

/** The field that each type of filter has its settings in. */
const FIELD_OF = {
  ExtensionRef: 'extensionRef',
  RequestHeaderModifier: 'requestHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  ResponseHeaderModifier: 'responseHeaderModifier',
  URLRewrite: 'urlRewrite',
} as const;
type FilterType = keyof typeof FIELD_OF;
const TYPES = Object.keys(FIELD_OF) as FilterType[];

const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
const MODIFIER_FIELDS = {
  ReplaceFullPath: 'replaceFullPath',
  ReplacePrefixMatch: 'replacePrefixMatch',
} as const;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const MAX_PATH = 1_024;

const isType = (type: string | undefined): type is FilterType => TYPES.some((one) => one === type);

/** `matches`: of the rule; a prefix can be replaced only where there is just one. */
export function validateFilters(
  filters: readonly RouteFilter[],
  at: string,
  matches: readonly RouteMatch[],
): FieldError[] {
  const faults = filters.flatMap((filter, i) => validateFilter(filter, `${at}[${i}]`, matches));
  const types = filters.map(({ type }) => type);
  if (types.includes('RequestRedirect') && types.includes('URLRewrite')) {
    const message =
      'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both';
    faults.push(invalid(at, 'array', message));
  }
  for (const type of TYPES) {
    // Only these may be there more than once.
    if (type === 'ExtensionRef' || type === 'RequestMirror') continue;
    if (types.filter((one) => one === type).length > 1)
      faults.push(invalid(at, 'array', `${type} filter cannot be repeated`));
  }
  return faults;
}

function validateFilter(
  filter: RouteFilter,
  at: string,
  matches: readonly RouteMatch[],
): FieldError[] {
  const { type } = filter;
  if (type === undefined) return [required(`${at}.type`)];
  if (!isType(type)) return [notSupported(`${at}.type`, type, TYPES)];
  const faults = Object.entries(FIELD_OF).flatMap(([name, field]) => {
    const isGiven = filter[field] !== undefined;
    if (name === type && !isGiven)
      return [invalid(at, 'object', `filter.${field} must be specified for ${name} filter.type`)];
    if (name !== type && isGiven)
      return [
        invalid(at, 'object', `filter.${field} must be nil if the filter.type is not ${name}`),
      ];
    return [];
  });
  for (const field of ['requestHeaderModifier', 'responseHeaderModifier'] as const) {
    const { set = [], add = [], remove = [] } = filter[field] ?? {};
    const names = (list: readonly { name?: string | undefined }[], of: string) =>
      list.flatMap(({ name }, i) => checkFieldName(name, `${at}.${field}.${of}[${i}].name`));
    const removed = remove.flatMap((name, i) =>
      checkFieldName(name, `${at}.${field}.remove[${i}]`),
    );
    faults.push(...names(set, 'set'), ...names(add, 'add'), ...removed);
  }
  return [
    ...faults,
    ...validateRedirect(filter, at, matches),
    ...validateRewrite(filter, at, matches),
  ];
}

export function checkFieldName(name: string | undefined, at: string): FieldError[] {
  if (name === undefined || name === '') return [required(at)];
  if (FIELD_NAME.test(name) && name.length <= 256) return [];
  return [invalid(at, name, `${at} in body should match '${FIELD_NAME.source}'`)];
}

function validateRedirect(
  { requestRedirect }: RouteFilter,
  at: string,
  matches: readonly RouteMatch[],
): FieldError[] {
  if (requestRedirect === undefined) return [];
  const { scheme, hostname, path, port, statusCode = 302 } = requestRedirect;
  const field = `${at}.requestRedirect`;
  const faults = [
    ...checkHost(hostname, `${field}.hostname`),
    ...checkModifier(path, `${field}.path`, matches),
  ];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    faults.push(notSupported(`${field}.scheme`, scheme, ['http', 'https']));
  if (port !== undefined)
    faults.push(...checkPortNumber(port).map((fault) => invalid(`${field}.port`, port, fault)));
  if (!REDIRECT_STATUSES.includes(statusCode))
    faults.push(notSupported(`${field}.statusCode`, statusCode, REDIRECT_STATUSES.map(String)));
  return faults;
}

function validateRewrite(
  { urlRewrite }: RouteFilter,
  at: string,
  matches: readonly RouteMatch[],
): FieldError[] {
  if (urlRewrite === undefined) return [];
  const { hostname, path } = urlRewrite;
  return [
    ...checkHost(hostname, `${at}.urlRewrite.hostname`),
    ...checkModifier(path, `${at}.urlRewrite.path`, matches),
  ];
}

function checkHost(hostname: string | undefined, at: string): FieldError[] {
  if (hostname === undefined) return [];
  return checkSubdomain1123(hostname).map((fault) => invalid(at, hostname, fault));
}

function checkModifier(
  modifier: PathModifier | undefined,
  at: string,
  matches: readonly RouteMatch[],
): FieldError[] {
  if (modifier === undefined) return [];
  const { type } = modifier;
  const types = Object.keys(MODIFIER_FIELDS);
  if (type === undefined) return [required(`${at}.type`)];
  if (!types.includes(type)) return [notSupported(`${at}.type`, type, types)];
  const faults = Object.entries(MODIFIER_FIELDS).flatMap(([name, field]) => {
    const value = modifier[field];
    if (name === type && value === undefined)
      return [invalid(at, 'object', `${field} must be specified when type is set to '${name}'`)];
    if (name !== type && value !== undefined)
      return [invalid(at, 'object', `type must be '${name}' when ${field} is set`)];
    return value !== undefined && value.length > MAX_PATH
      ? [tooLong(`${at}.${field}`, MAX_PATH)]
      : [];
  });
  const isOnePrefix = matches.length === 1 && matches[0]?.path?.type === 'PathPrefix';
  if (type === 'ReplacePrefixMatch' && !isOnePrefix) {
    const message =
      'When using path.replacePrefixMatch, exactly one PathPrefix match must be specified';
    faults.push(invalid(at, 'object', message));
  }
  return faults;
}
