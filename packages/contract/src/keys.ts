/** Unique key of a service: `namespace/service`. No part can contain a slash. */
export type ServiceKey = `${string}/${string}`;

/** Unique key of an instance: `namespace/service/id`. */
export type InstanceKey = `${string}/${string}/${string}`;

/** Identifies a service. */
export interface ServiceRef {
  readonly namespace: string;
  readonly service: string;
}

/** Identifies an instance. */
export interface InstanceRef extends ServiceRef {
  readonly id: string;
}

export function serviceKeyOf({ namespace, service }: ServiceRef): ServiceKey {
  return `${namespace}/${service}`;
}

export function instanceKeyOf({ namespace, service, id }: InstanceRef): InstanceKey {
  return `${namespace}/${service}/${id}`;
}

/** Reads a key back. */
export function parseServiceKey(key: ServiceKey): ServiceRef {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), service: key.slice(slash + 1) };
}

/** Reads a key back. */
export function parseInstanceKey(key: InstanceKey): InstanceRef {
  const [namespace = '', service = '', id = ''] = key.split('/');
  return { namespace, service, id };
}

/** The service of an instance. */
export function serviceKeyOfInstance(key: InstanceKey): ServiceKey {
  return key.slice(0, key.lastIndexOf('/')) as ServiceKey;
}

/** The namespace of a service or an instance. */
export function namespaceOfKey(key: ServiceKey | InstanceKey): string {
  return key.slice(0, key.indexOf('/'));
}

/** Whether a text from outside has the form of an instance key. */
export function isInstanceKey(text: string): text is InstanceKey {
  return text.split('/').length === 3;
}
