/** A service among those of all namespaces: `namespace/service`. No part can hold a slash. */
export type ServiceKey = `${string}/${string}`;

/** An instance among those of all services: `namespace/service/id`. */
export type InstanceKey = `${string}/${string}/${string}`;

/** Which service is meant. */
export interface ServiceRef {
  readonly namespace: string;
  readonly service: string;
}

/** Which instance is meant. */
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

/** Whether a text that came from outside has the form of an instance's key. */
export function isInstanceKey(text: string): text is InstanceKey {
  return text.split('/').length === 3;
}
