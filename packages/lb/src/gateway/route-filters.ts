import type { HeaderChanges, RouteFilter } from './http-route-object.ts';

/** The types of filters that the balancer can do. */
const KNOWN = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'URLRewrite',
]);

/** The types of those that the balancer cannot do. */
export function unknownFilters(filters: readonly RouteFilter[]): string[] {
  return filters.flatMap(({ type }) => (KNOWN.has(type) ? [] : [type]));
}

/** What the filters of a rule are in a rule of the balancer. */
export function partsOfFilters(filters: readonly RouteFilter[]): Record<string, unknown> {
  return Object.assign({}, ...filters.map(partOf)) as Record<string, unknown>;
}

function partOf(filter: RouteFilter): Record<string, unknown> {
  const { requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite } = filter;
  return {
    ...(requestHeaderModifier && { requestHeaders: changesOf(requestHeaderModifier) }),
    ...(responseHeaderModifier && { responseHeaders: changesOf(responseHeaderModifier) }),
    ...(requestRedirect && { redirect: redirectOf(requestRedirect) }),
    ...(urlRewrite && { rewrite: { ...hostOf(urlRewrite), ...pathOf(urlRewrite) } }),
  };
}

function changesOf({ set, add, remove }: HeaderChanges) {
  const byName = (values: HeaderChanges['set']) =>
    Object.fromEntries(values.map(({ name, value }) => [name, value]));
  return { set: byName(set), add: byName(add), remove };
}

type Redirect = NonNullable<RouteFilter['requestRedirect']>;
type Modified = Pick<Redirect, 'hostname' | 'path'>;

/** With a scheme and no port, the port is the usual one of that scheme. */
function redirectOf(redirect: Redirect) {
  const { scheme, statusCode } = redirect;
  const usual = scheme === undefined ? undefined : scheme === 'https' ? 443 : 80;
  const port = redirect.port ?? usual;
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(port === undefined ? {} : { port }),
    ...hostOf(redirect),
    ...pathOf(redirect),
    status: statusCode,
  };
}

function hostOf({ hostname }: Modified) {
  return hostname === undefined ? {} : { host: hostname };
}

/** An empty replacement means `/`. */
function pathOf({ path = {} }: Modified) {
  const { replaceFullPath, replacePrefixMatch } = path;
  if (replaceFullPath !== undefined) return { path: replaceFullPath || '/' };
  return replacePrefixMatch === undefined ? {} : { prefix: replacePrefixMatch || '/' };
}
