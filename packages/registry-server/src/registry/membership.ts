import type { Endpoint } from '@rollcall/contract';
import { fieldOf } from '../store/record.ts';
import { hasSelector } from './declared/profile.ts';
import { isVouchedFor, selectedEndpoints, selects } from './declared/selected-endpoints.ts';
import { writtenEndpoints } from './declared/written-endpoints.ts';
import { conditionsOf, deriveEndpoints } from './endpoints.ts';
import type { Roll } from './roll.ts';

/** Stands for what was written by hand, where else the field of an instance stands. */
export const WRITTEN = '';

/**
 * The fields of those that are members of services now. One pass over the instances, however many services are asked
 * for: a file may declare a thousand.
 */
export function membersOf(
  roll: Roll,
  services: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>(services.map((key) => [key, []]));
  let selecting = false;
  for (const key of services) {
    const service = roll.declarations.service(key);
    const own = members.get(key) as string[];
    if (service === undefined) {
      for (const record of roll.services.get(key)?.values() ?? []) own.push(fieldOf(record));
    } else if (hasSelector(service)) selecting = true;
    else own.push(WRITTEN);
  }
  if (!selecting) return members;
  const namespaces = new Set(services.map((key) => key.slice(0, key.indexOf('/'))));
  for (const [key, instances] of roll.services) {
    const namespace = key.slice(0, key.indexOf('/'));
    if (!namespaces.has(namespace)) continue;
    for (const record of instances.values()) {
      for (const service of roll.declarations.selecting(namespace, record.body.labels)) {
        members.get(service)?.push(fieldOf(record));
      }
    }
  }
  return members;
}

/** The endpoints that a member has in a service; none when it is none. Pure. */
export function deriveMember(roll: Roll, key: string, member: string): readonly Endpoint[] {
  const service = roll.declarations.service(key);
  if (member === WRITTEN) {
    if (service === undefined || hasSelector(service) || service.spec?.type === 'ExternalName') {
      return [];
    }
    const { declarations } = roll;
    return writtenEndpoints(service, declarations.endpointsOf(key), declarations.slicesOf(key));
  }
  const record = roll.instance(member);
  if (record === undefined) return [];
  const conditions = conditionsOf(record, roll.override(member));
  const namespace = key.slice(0, key.indexOf('/'));
  if (service === undefined) {
    return `${record.namespace}/${record.service}` === key
      ? deriveEndpoints(record, conditions)
      : [];
  }
  const isSelected =
    hasSelector(service) &&
    record.namespace === namespace &&
    selects(service.spec?.selector ?? {}, record.body.labels) &&
    isVouchedFor(service, record);
  return isSelected ? selectedEndpoints(service, record, conditions) : [];
}
