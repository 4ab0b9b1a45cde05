import { z } from 'zod';

const GATEWAY_GROUP = 'gateway.networking.k8s.io';

const NamedMatch = z.object({
  type: z.string().default('Exact'),
  name: z.string(),
  value: z.string(),
});

const Match = z.object({
  path: z
    .object({ type: z.string().default('PathPrefix'), value: z.string().default('/') })
    .default({ type: 'PathPrefix', value: '/' }),
  headers: z.array(NamedMatch).default([]),
  queryParams: z.array(NamedMatch).default([]),
  method: z.string().optional(),
});

const NamedValues = z.array(z.object({ name: z.string(), value: z.string() })).default([]);
const HeaderChanges = z.object({
  set: NamedValues,
  add: NamedValues,
  remove: z.array(z.string()).default([]),
});

const PathModifier = z.object({
  replaceFullPath: z.string().optional(),
  replacePrefixMatch: z.string().optional(),
});

const Filter = z.object({
  type: z.string(),
  requestHeaderModifier: HeaderChanges.optional(),
  responseHeaderModifier: HeaderChanges.optional(),
  requestRedirect: z
    .object({
      scheme: z.string().optional(),
      hostname: z.string().optional(),
      path: PathModifier.optional(),
      port: z.int().optional(),
      statusCode: z.int().default(302),
    })
    .optional(),
  urlRewrite: z
    .object({ hostname: z.string().optional(), path: PathModifier.optional() })
    .optional(),
});

const BackendRef = z.object({
  group: z.string().default(''),
  kind: z.string().default('Service'),
  namespace: z.string().optional(),
  name: z.string(),
  port: z.int().optional(),
  weight: z.int().default(1),
  filters: z.array(z.unknown()).default([]),
});

const Rule = z.object({
  matches: z.array(Match).default([]),
  filters: z.array(Filter).default([]),
  backendRefs: z.array(BackendRef).default([]),
  timeouts: z.object({}).optional(),
});

const ParentRef = z.object({
  group: z.string().default(GATEWAY_GROUP),
  kind: z.string().default('Gateway'),
  name: z.string(),
  sectionName: z.string().optional(),
});

/**
 * What a balancer reads of an HTTPRoute. The registry has validated it; fields that only newer versions know are left out,
 * so that they do not take the whole object away.
 */
const HttpRoute = z
  .object({
    kind: z.literal('HTTPRoute'),
    metadata: z.object({
      name: z.string(),
      namespace: z.string(),
      uid: z.string().default(''),
      resourceVersion: z.string().default(''),
      creationTimestamp: z.string().default(''),
    }),
    spec: z.object({
      parentRefs: z.array(ParentRef).default([]),
      hostnames: z.array(z.string()).default([]),
      rules: z.array(Rule).default([]),
    }),
  })
  .transform(({ metadata, spec }) => ({ ...metadata, ...spec }));

/** An HTTPRoute that is declared in the registry. */
export type HttpRouteObject = z.output<typeof HttpRoute>;
export type RouteRule = z.output<typeof Rule>;
export type RouteMatch = z.output<typeof Match>;
export type RouteFilter = z.output<typeof Filter>;
export type RouteBackend = z.output<typeof BackendRef>;
export type HeaderChanges = z.output<typeof HeaderChanges>;

/** Undefined: it is not one that can be read. */
export function httpRouteOf(object: unknown): HttpRouteObject | undefined {
  return HttpRoute.safeParse(object).data;
}

/**
 * The listeners of a gateway that a route is for; `all`: it names none, so it is for all of them. Undefined: the route is not
 * for this gateway.
 */
export function sectionsOf(
  { parentRefs }: HttpRouteObject,
  gateway: string,
): ReadonlySet<string> | 'all' | undefined {
  const own = parentRefs.filter(
    ({ group, kind, name }) => group === GATEWAY_GROUP && kind === 'Gateway' && name === gateway,
  );
  if (own.length === 0) return undefined;
  const sections = own.map(({ sectionName }) => sectionName);
  return sections.includes(undefined) ? 'all' : new Set(sections.map((name) => name!));
}

/** The services whose ports a route names by their number. */
export function servicesOf({ namespace, rules }: HttpRouteObject) {
  return rules.flatMap(({ backendRefs }) =>
    backendRefs.filter(isService).map(({ name }) => ({ namespace, service: name })),
  );
}

export function isService({ group, kind }: RouteBackend): boolean {
  return group === '' && kind === 'Service';
}
