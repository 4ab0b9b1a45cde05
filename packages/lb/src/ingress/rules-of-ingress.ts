import { Rule, type RuleConfig } from '../config/rule-schema.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import { backendGroup, portNamed } from '../backends/backend-group.ts';
import { declaredPath } from '../backends/declared-path.ts';
import {
  type IngressBackend,
  type IngressObject,
  type IngressPath,
  labelOfIngress,
} from './ingress-object.ts';
import type { PortLookup } from '../backends/service-ports.ts';

/** What becomes of Ingresses: a part of the balancer's own configuration. */
export interface IngressRoutes {
  /** Those of the Ingresses' rules, the oldest Ingress first, and then their default backends. */
  readonly rules: readonly RuleConfig[];
  readonly targetGroups: Readonly<Record<string, TargetGroupConfig>>;
  /** What does not work as it is written, for the log, each in a sentence. */
  readonly notes: readonly string[];
}

/** Pure. `ingresses`: those that the balancer routes by, the oldest first. */
export function rulesOfIngresses(
  ingresses: readonly IngressObject[],
  portOf: PortLookup,
): IngressRoutes {
  const draft = new RoutesDraft(portOf);
  for (const ingress of ingresses) draft.addRules(ingress);
  // After all rules: a default backend takes only what no rule is for.
  for (const ingress of ingresses) draft.addDefault(ingress);
  return draft;
}

/** Where a rule of an Ingress stands in it, e.g. `rules[0].paths[1]`. */
interface Place {
  readonly ingress: IngressObject;
  readonly at: string;
}

type Match = Pick<RuleConfig, 'host' | 'hostDepth' | 'path'>;

class RoutesDraft implements IngressRoutes {
  readonly rules: RuleConfig[] = [];
  readonly targetGroups: Record<string, TargetGroupConfig> = {};
  readonly notes: string[] = [];
  readonly #portOf: PortLookup;
  /** Host and path -> the Ingress that has them. */
  readonly #owners = new Map<string, IngressObject>();

  constructor(portOf: PortLookup) {
    this.#portOf = portOf;
  }

  addRules(ingress: IngressObject): void {
    for (const [i, { host, http }] of ingress.rules.entries()) {
      const at = `rules[${i}]`;
      const { defaultBackend } = ingress;
      if (http === undefined) {
        // Everything of that host is for the default backend.
        if (defaultBackend !== undefined)
          this.#add({ ingress, at }, matchOfHost(host), defaultBackend);
        continue;
      }
      for (const [n, path] of http.paths.entries()) {
        const place = { ingress, at: `${at}.paths[${n}]` };
        const pattern = pathOf(path);
        if (pattern === undefined) {
          this.#note(place, `no path of a request is like ${JSON.stringify(path.path)}`);
        } else this.#add(place, { ...matchOfHost(host), path: pattern }, path.backend);
      }
    }
  }

  addDefault(ingress: IngressObject): void {
    const { defaultBackend } = ingress;
    if (defaultBackend !== undefined)
      this.#add({ ingress, at: 'defaultBackend' }, {}, defaultBackend);
  }

  #add(place: Place, match: Match, backend: IngressBackend): void {
    const { host = 'any host', path = { prefix: '/' } } = match;
    const key = `${host} and ${describePath(path)}`;
    const owner = this.#owners.get(key);
    if (owner !== undefined) {
      if (owner !== place.ingress)
        this.#note(place, `Ingress ${labelOfIngress(owner)} has ${key} already`);
      return;
    }
    const group = this.#groupFor(place, backend);
    if (group === undefined) return;
    const parsed = Rule.safeParse({ ...match, targetGroup: group.name });
    if (!parsed.success) {
      const { path: field = [], message = '' } = parsed.error.issues[0] ?? {};
      this.#note(place, `${field.join('.')}: ${message}`);
      return;
    }
    this.#owners.set(key, place.ingress);
    this.rules.push({ ...parsed.data, name: nameOf(place) });
    this.targetGroups[group.name] = group.config;
  }

  /** The target group of a backend, which it may share with others. */
  #groupFor(place: Place, { service }: IngressBackend) {
    if (service === undefined) {
      this.#note(place, 'only services are backends');
      return undefined;
    }
    const { namespace } = place.ingress;
    const { name, port } = service;
    const portName =
      port.name ?? portNamed(this.#portOf, { namespace, service: name }, port.number);
    const group = backendGroup('ingress', { namespace, service: name }, portName);
    if (group === undefined)
      this.#note(place, `no service can have the name ${name} and the port ${portName}`);
    return group;
  }

  #note(place: Place, message: string): void {
    this.notes.push(`Ingress ${nameOf(place).replace('ingress ', '')} is not used: ${message}`);
  }
}

function nameOf({ ingress, at }: Place): string {
  return `ingress ${labelOfIngress(ingress)} ${at}`;
}

/** `*.` stands for exactly one label here. */
function matchOfHost(given: string): Match {
  const host = given.toLowerCase();
  if (host === '') return {};
  return host.startsWith('*.') ? { host, hostDepth: 'one' } : { host };
}

/** Undefined: no request has such a path. */
function pathOf({ path, pathType }: IngressPath) {
  return declaredPath(path || '/', pathType === 'Exact' && path !== '' ? 'exact' : 'prefix');
}

function describePath(path: NonNullable<RuleConfig['path']>): string {
  if (typeof path === 'string') return path;
  return Object.entries(path)
    .map(([kind, text]) => `${kind} path ${text}`)
    .join();
}
