import { type ServiceKey, serviceKeyOf } from '@rollcall/contract';
import { type Kind, KINDS } from '@rollcall/manifests';

const BY_PREFIX = new Map(
  (Object.keys(KINDS) as Kind[]).map((kind) => [kind.toLowerCase(), kind] as const),
);

/** Stands in keys for the namespace of an object that is in none: no namespace has this name. */
const NOWHERE = '_';

/** Identifies a declared object. */
export interface ObjectRef {
  readonly kind: Kind;
  /** Empty for kinds whose objects are in none. */
  readonly namespace: string;
  readonly name: string;
}

/** The object that a path or a manifest means; `namespace`: counts only for kinds whose objects are in one. */
export function objectRefOf({ kind, namespace, name }: ObjectRef): ObjectRef {
  return { kind, namespace: KINDS[kind].isNamespaced ? namespace : '', name };
}

/** Key of the resource that holds a declared object. */
export function keyOfObject({ kind, namespace, name }: ObjectRef): string {
  return `${kind.toLowerCase()}/${namespace || NOWHERE}/${name}`;
}

/** Namespace and name of an object; for a Service that is the key of the service. */
export function nameKeyOf({ namespace, name }: Omit<ObjectRef, 'kind'>): ServiceKey {
  return serviceKeyOf({ namespace, service: name });
}

/** Reads a key back; undefined when the resource is not a declared object. */
export function objectOfKey(key: string): ObjectRef | undefined {
  const [prefix = '', namespace = '', name = ''] = key.split('/');
  const kind = BY_PREFIX.get(prefix);
  return kind && { kind, namespace: namespace === NOWHERE ? '' : namespace, name };
}

/** Identifies the report of one reporter about an object. */
export interface ReportRef {
  readonly kind: 'Service' | 'Ingress';
  readonly namespace: string;
  readonly name: string;
  readonly reporter: string;
}

/** Key of the resource that holds a data plane's report. */
export function keyOfReport({ kind, namespace, name, reporter }: ReportRef): string {
  const object = kind === 'Service' ? name : `ingress/${name}`;
  return `report/${namespace}/${object}/${reporter}`;
}

/** Reads a report's key back; undefined when the resource is not a report. */
export function reportOfKey(key: string): ReportRef | undefined {
  const [prefix, namespace = '', ...rest] = key.split('/');
  if (prefix !== 'report') return undefined;
  const [name = '', reporter = ''] = rest.slice(-2);
  return { kind: rest.length > 2 ? 'Ingress' : 'Service', namespace, name, reporter };
}
