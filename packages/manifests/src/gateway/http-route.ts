import { z } from 'zod';
import { absent, ObjectMeta } from '../meta/object-meta.ts';

const GATEWAY_GROUP = 'gateway.networking.k8s.io';

const ParentRef = z.strictObject({
  group: absent(z.string()),
  kind: absent(z.string()),
  namespace: absent(z.string()),
  name: absent(z.string()),
  sectionName: absent(z.string()),
  port: absent(z.int()),
});

const PathMatch = z.strictObject({ type: absent(z.string()), value: absent(z.string()) });
const NamedMatch = z.strictObject({
  type: absent(z.string()),
  name: absent(z.string()),
  value: absent(z.string()),
});

const Match = z.strictObject({
  path: absent(PathMatch),
  headers: absent(z.array(NamedMatch)),
  queryParams: absent(z.array(NamedMatch)),
  method: absent(z.string()),
});

const NamedValue = z.strictObject({ name: absent(z.string()), value: absent(z.string()) });
const HeaderChanges = z.strictObject({
  set: absent(z.array(NamedValue)),
  add: absent(z.array(NamedValue)),
  remove: absent(z.array(z.string())),
});

const PathModifier = z.strictObject({
  type: absent(z.string()),
  replaceFullPath: absent(z.string()),
  replacePrefixMatch: absent(z.string()),
});

const Filter = z.strictObject({
  type: absent(z.string()),
  requestHeaderModifier: absent(HeaderChanges),
  responseHeaderModifier: absent(HeaderChanges),
  requestMirror: absent(z.looseObject({})),
  requestRedirect: absent(
    z.strictObject({
      scheme: absent(z.string()),
      hostname: absent(z.string()),
      path: absent(PathModifier),
      port: absent(z.int()),
      statusCode: absent(z.int()),
    }),
  ),
  urlRewrite: absent(z.strictObject({ hostname: absent(z.string()), path: absent(PathModifier) })),
  extensionRef: absent(z.looseObject({})),
});

const BackendRef = z.strictObject({
  group: absent(z.string()),
  kind: absent(z.string()),
  namespace: absent(z.string()),
  name: absent(z.string()),
  port: absent(z.int()),
  weight: absent(z.int()),
  filters: absent(z.array(Filter)),
});

const RouteRule = z.strictObject({
  name: absent(z.string()),
  matches: absent(z.array(Match)),
  filters: absent(z.array(Filter)),
  backendRefs: absent(z.array(BackendRef)),
  timeouts: absent(
    z.strictObject({ request: absent(z.string()), backendRequest: absent(z.string()) }),
  ),
});

/** `apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute`: load balancers with the key `ingress` route by it. */
export const HTTPRoute = z.strictObject({
  apiVersion: z.literal(`${GATEWAY_GROUP}/v1`),
  kind: z.literal('HTTPRoute'),
  metadata: ObjectMeta,
  spec: absent(
    z.strictObject({
      parentRefs: absent(z.array(ParentRef)),
      hostnames: absent(z.array(z.string())),
      rules: absent(z.array(RouteRule)),
    }),
  ),
  status: absent(z.looseObject({})),
});
export type HTTPRoute = z.output<typeof HTTPRoute>;
export type RouteRule = z.output<typeof RouteRule>;
export type RouteMatch = z.output<typeof Match>;
export type RouteFilter = z.output<typeof Filter>;
export type RouteBackend = z.output<typeof BackendRef>;
export type PathModifier = z.output<typeof PathModifier>;
export type NamedMatch = z.output<typeof NamedMatch>;

const PATH: z.output<typeof PathMatch> = { type: 'PathPrefix', value: '/' };

/** What the definition of the kind fills in. */
export function defaultHttpRoute(route: HTTPRoute): HTTPRoute {
  const { parentRefs, rules = [{}], ...spec } = route.spec ?? {};
  const parents = parentRefs?.map((ref) => ({ group: GATEWAY_GROUP, kind: 'Gateway', ...ref }));
  return {
    ...route,
    spec: {
      ...spec,
      ...(parents === undefined ? {} : { parentRefs: parents }),
      rules: rules.map(defaultRule),
    },
  };
}

function defaultRule({ matches = [{}], backendRefs, filters, ...rule }: RouteRule): RouteRule {
  const backends = backendRefs?.map((one) => ({
    group: '',
    kind: 'Service',
    weight: 1,
    ...one,
    ...(one.filters === undefined ? {} : { filters: one.filters.map(defaultFilter) }),
  }));
  return {
    ...rule,
    matches: matches.map(defaultMatch),
    ...(filters === undefined ? {} : { filters: filters.map(defaultFilter) }),
    ...(backends === undefined ? {} : { backendRefs: backends }),
  };
}

function defaultMatch({ path, headers, queryParams, ...match }: RouteMatch): RouteMatch {
  const typed = (one: NamedMatch) => ({ type: 'Exact', ...one });
  return {
    path: { ...PATH, ...path },
    ...(headers === undefined ? {} : { headers: headers.map(typed) }),
    ...(queryParams === undefined ? {} : { queryParams: queryParams.map(typed) }),
    ...match,
  };
}

function defaultFilter(filter: RouteFilter): RouteFilter {
  const { requestRedirect } = filter;
  if (requestRedirect === undefined) return filter;
  return { ...filter, requestRedirect: { statusCode: 302, ...requestRedirect } };
}
