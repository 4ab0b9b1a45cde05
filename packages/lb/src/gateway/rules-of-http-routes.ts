import { Rule, type RuleConfig } from '../config/rule-schema.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import { backendGroup, portNamed } from '../backends/backend-group.ts';
import { byAge } from '../backends/by-age.ts';
import { declaredPath } from '../backends/declared-path.ts';
import type { PortLookup } from '../backends/service-ports.ts';
import {
  type HttpRouteObject,
  isService,
  type RouteBackend,
  type RouteMatch,
  type RouteRule,
  sectionsOf,
} from './http-route-object.ts';
import { partsOfFilters, unknownFilters } from './route-filters.ts';

/** A rule, and the listeners of a gateway that it is for. */
interface RoutedRule {
  readonly rule: RuleConfig;
  readonly sections: ReadonlySet<string> | 'all';
}

/** What becomes of HTTPRoutes: a part of the balancer's own configuration. */
export interface HttpRoutes {
  /** The oldest route first. */
  readonly rules: readonly RoutedRule[];
  readonly targetGroups: Readonly<Record<string, TargetGroupConfig>>;
  /** What does not work as it is written, for the log, each in a sentence. */
  readonly notes: readonly string[];
}

/** What a rule does if it cannot do what is written. The Gateway API asks for this status. */
const BROKEN = {
  fixedResponse: {
    status: 500,
    body: 'the route of this request has nothing to send it to\n',
  },
};

/** Pure. `gateway`: the name that routes have in `parentRefs` for this balancer. */
export function rulesOfHttpRoutes(
  routes: readonly HttpRouteObject[],
  gateway: string,
  portOf: PortLookup,
): HttpRoutes {
  const draft = new RoutesDraft(portOf);
  for (const route of routes.toSorted(byAge)) {
    const sections = sectionsOf(route, gateway);
    if (sections !== undefined) draft.add(route, sections);
  }
  return draft;
}

const labelOf = ({ namespace, name }: HttpRouteObject) => `${namespace}/${name}`;

class RoutesDraft implements HttpRoutes {
  readonly rules: RoutedRule[] = [];
  readonly targetGroups: Record<string, TargetGroupConfig> = {};
  readonly notes: string[] = [];
  readonly #portOf: PortLookup;

  constructor(portOf: PortLookup) {
    this.#portOf = portOf;
  }

  add(route: HttpRouteObject, sections: RoutedRule['sections']): void {
    const hosts = route.hostnames.length === 0 ? [undefined] : route.hostnames;
    for (const [i, written] of route.rules.entries()) {
      const at = `${labelOf(route)} rules[${i}]`;
      const action = this.#actionOf(route, written, at);
      for (const [n, match] of written.matches.entries()) {
        const wanted = this.#wantedOf(match, `${at}.matches[${n}]`);
        if (wanted === undefined) continue;
        for (const host of hosts) {
          const name = `httproute ${at}.matches[${n}]`;
          const whole = { name, ...(host === undefined ? {} : { host }), ...wanted, ...action };
          const rule = this.#ruleOf(whole, at);
          if (rule !== undefined) this.rules.push({ rule, sections });
        }
      }
    }
  }

  #ruleOf(written: Readonly<Record<string, unknown>>, at: string): RuleConfig | undefined {
    const { name, ...parts } = written;
    const parsed = Rule.safeParse(parts);
    if (parsed.success) return { ...parsed.data, name: name as string };
    const { path = [], message = '' } = parsed.error.issues[0] ?? {};
    this.#note(at, `is not used: ${path.join('.')}: ${message}`);
    return undefined;
  }

  /** The conditions of a rule. Undefined: no request can meet them. */
  #wantedOf(match: RouteMatch, at: string): Record<string, unknown> | undefined {
    const { path, headers, queryParams, method } = match;
    const pattern = patternOf(path);
    if (pattern === undefined) {
      this.#note(at, `is not used: no path of a request is like ${JSON.stringify(path.value)}`);
      return undefined;
    }
    return {
      path: pattern,
      ...(method === undefined ? {} : { methods: [method] }),
      ...(headers.length === 0 ? {} : { headers: valuesOf(headers, (name) => name.toLowerCase()) }),
      ...(queryParams.length === 0 ? {} : { query: valuesOf(queryParams, (name) => name) }),
    };
  }

  #actionOf(route: HttpRouteObject, rule: RouteRule, at: string): object {
    const { filters, backendRefs, timeouts } = rule;
    if (timeouts !== undefined) this.#note(at, 'has timeouts, which are not used');
    const unknown = unknownFilters(filters);
    if (unknown.length > 0) {
      this.#note(at, `answers 500: there is no filter ${unknown.join(', ')} here`);
      return BROKEN;
    }
    const parts = partsOfFilters(filters);
    if ('redirect' in parts) return parts;
    const shares = backendRefs.flatMap((backend, i) => {
      const group = this.#groupOf(route, backend, `${at}.backendRefs[${i}]`);
      return group === undefined ? [] : [{ targetGroup: group, weight: backend.weight }];
    });
    if (shares.every(({ weight }) => weight === 0)) {
      this.#note(at, 'answers 500: it has no backend that gets requests');
      return BROKEN;
    }
    const [only] = shares;
    if (shares.length === 1) return { ...parts, targetGroup: only!.targetGroup };
    return { ...parts, forward: added(shares) };
  }

  #groupOf(route: HttpRouteObject, backend: RouteBackend, at: string): string | undefined {
    const { namespace = route.namespace, name, port, filters } = backend;
    if (!isService(backend)) {
      this.#note(at, `is not used: only services are backends, not ${backend.kind}`);
      return undefined;
    }
    if (namespace !== route.namespace) {
      this.#note(at, 'is not used: a backend is in the namespace of its route');
      return undefined;
    }
    if (filters.length > 0) {
      this.#note(at, 'is not used: filters are for a rule, not for a backend');
      return undefined;
    }
    const service = { namespace, service: name };
    const group = backendGroup('httproute', service, portNamed(this.#portOf, service, port));
    if (group === undefined) {
      this.#note(at, `is not used: no service can have the name ${name}`);
      return undefined;
    }
    this.targetGroups[group.name] = group.config;
    return group.name;
  }

  #note(at: string, message: string): void {
    this.notes.push(`HTTPRoute ${at} ${message}`);
  }
}

/** A group that is named twice gets the sum of its weights. */
function added(shares: readonly { readonly targetGroup: string; readonly weight: number }[]) {
  const weights = new Map<string, number>();
  for (const { targetGroup, weight } of shares)
    weights.set(targetGroup, (weights.get(targetGroup) ?? 0) + weight);
  return Array.from(weights, ([targetGroup, weight]) => ({ targetGroup, weight }));
}

/** Of several for the same name the first one counts. */
function valuesOf(
  matches: RouteMatch['headers'],
  keyOf: (name: string) => string,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { type, name, value } of matches)
    values[keyOf(name)] ??= type === 'RegularExpression' ? { regex: value } : value;
  return values;
}

/** Undefined: no request has such a path. */
function patternOf({ type, value }: RouteMatch['path']): object | undefined {
  if (type === 'RegularExpression') return { regex: value };
  return declaredPath(value, type === 'Exact' ? 'exact' : 'prefix');
}
