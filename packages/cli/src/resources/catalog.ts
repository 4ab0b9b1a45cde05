import { CliError, usageError } from '../base/cli-error.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { endpoints, endpointSlices } from './endpoints.ts';
import { happenings } from './happenings.ts';
import { httpRoutes, ingressClasses, ingresses } from './ingresses.ts';
import { instances } from './instances.ts';
import { namespaces } from './namespaces.ts';
import type { Resource } from './resource.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';
import { deployments } from './workloads.ts';

/** Every resource type, in the order shown by the help. */
export const RESOURCES: readonly Resource[] = [
  services,
  endpoints,
  endpointSlices,
  instances,
  ingresses,
  ingressClasses,
  secrets,
  httpRoutes,
  deployments,
  namespaces,
  happenings,
];

/** The types that `all` means. */
const ALL = [instances, services, deployments];

const GROUP = /\.(apps|discovery\.k8s\.io|(gateway\.)?networking\.k8s\.io)$/;

/** The objects of a command: types with names, or types alone. */
export interface Selection {
  readonly resource: Resource;
  /** Empty = all of the type. */
  readonly names: readonly string[];
}

/** Finds a type by any of its names, also `deployments.apps`. */
export function resourceOf(name: string): Resource {
  const wanted = name.toLowerCase().replace(GROUP, '');
  const found = RESOURCES.find(({ names }) => names.includes(wanted));
  if (found !== undefined) return found;
  const known = RESOURCES.flatMap(({ names }) => names);
  const unknown = `error: the server doesn't have a resource type "${name}"`;
  throw new CliError(`${unknown}${didYouMean(name, known)}`);
}

/** Parses `svc`, `svc,ep`, `svc nginx web`, `svc/nginx instance/a`, `all`. */
export function selectionsOf(words: readonly string[]): Selection[] {
  const [first, ...names] = words;
  if (first === undefined) {
    const known = RESOURCES.map((resource) => resource.names[0]).join(', ');
    throw usageError(`you must specify the type of resource to get: ${known} or all`);
  }
  if (words.some((word) => word.includes('/'))) return slashedOf(words);
  return first
    .split(',')
    .flatMap((type) => (type === 'all' ? ALL : [resourceOf(type)]))
    .map((resource) => ({ resource, names }));
}

/** Each word is `type/name`; names of one type are grouped. */
function slashedOf(words: readonly string[]): Selection[] {
  const [first = ''] = words;
  // The names of a type may contain slashes too: `instance web/a`.
  const isTyped = !first.includes('/');
  if (isTyped) return [{ resource: resourceOf(first), names: words.slice(1) }];
  const byResource = new Map<Resource, string[]>();
  for (const word of words) {
    const slash = word.indexOf('/');
    if (slash === -1) {
      const detail = 'there is no need to specify a resource type as a separate argument';
      throw usageError(`${detail} when passing arguments in resource/name form`);
    }
    const resource = resourceOf(word.slice(0, slash));
    byResource.set(resource, [...(byResource.get(resource) ?? []), word.slice(slash + 1)]);
  }
  return [...byResource].map(([resource, names]) => ({ resource, names }));
}

/** One object by `type name` or `type/name`. */
export function oneOf(
  words: readonly string[],
  usage: string,
): { resource: Resource; name: string } {
  const [selection, ...others] = words.length === 0 ? [] : selectionsOf(words);
  const [name, ...more] = selection?.names ?? [];
  if (selection === undefined || name === undefined || others.length + more.length > 0) {
    throw usageError(`expected one resource, as in: rollcall ${usage}`);
  }
  return { resource: selection.resource, name };
}
