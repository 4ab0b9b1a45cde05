import {
  type Endpoint,
  type InstanceKey,
  instanceKeyOf,
  namespaceOfKey,
  type ServiceKey,
  serviceKeyOf,
} from '@rollcall/contract';
import { type InstanceRecord } from '../store/record.ts';
import { hasSelector } from './declared/profile.ts';
import { mayJoinService, selectedEndpoints, selects } from './declared/selected-endpoints.ts';
import { writtenEndpoints } from './declared/written-endpoints.ts';
import { conditionsOf, deriveEndpoints } from './instances/endpoints.ts';
import type { Roll } from './roll.ts';

/** Stands in place of an instance key for the hand-written endpoints. */
export const MANUAL_ENDPOINTS = '';

/** An instance as a member of a service, or the hand-written endpoints. */
export type Member = InstanceKey | typeof MANUAL_ENDPOINTS;

/** Each instance is checked against up to this many services one by one; more are found by their selectors. */
const FEW = 8;

/** A declared service with a selector. */
interface Selecting {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly pairs: readonly (readonly [string, string])[];
}

/**
 * The current members of each service. One pass over the instances for any number of services: a file may declare a
 * thousand.
 */
export function membersOf(
  roll: Roll,
  services: readonly ServiceKey[],
): ReadonlyMap<ServiceKey, readonly Member[]> {
  const members = new Map<ServiceKey, Member[]>(services.map((key) => [key, []]));
  const selecting: Selecting[] = [];
  for (const key of services) {
    const service = roll.declarations.service(key);
    const own = members.get(key) as Member[];
    if (service === undefined) {
      for (const record of roll.services.get(key)?.values() ?? []) own.push(instanceKeyOf(record));
    } else if (!hasSelector(service)) own.push(MANUAL_ENDPOINTS);
    else {
      const namespace = namespaceOfKey(key);
      selecting.push({ key, namespace, pairs: Object.entries(service.spec?.selector ?? {}) });
    }
  }
  const byNamespace = Map.groupBy(selecting, ({ namespace }) => namespace);
  if (selecting.length === 0) return members;
  for (const [key, instances] of roll.services) {
    const asked = byNamespace.get(namespaceOfKey(key));
    if (asked === undefined) continue;
    for (const record of instances.values()) {
      for (const service of selectingOf(roll, asked, record)) {
        members.get(service)?.push(instanceKeyOf(record));
      }
    }
  }
  return members;
}

function selectingOf(
  { declarations }: Roll,
  asked: readonly Selecting[],
  { namespace, body: { labels } }: InstanceRecord,
): Iterable<ServiceKey> {
  if (asked.length > FEW) return declarations.selecting(namespace, labels);
  const found: ServiceKey[] = [];
  for (const { key, pairs } of asked) {
    if (pairs.every(([label, value]) => labels[label] === value)) found.push(key);
  }
  return found;
}

/** The endpoints of a member in a service; empty when it is not a member. Pure. */
export function deriveMember(roll: Roll, key: ServiceKey, member: Member): readonly Endpoint[] {
  const service = roll.declarations.service(key);
  if (member === MANUAL_ENDPOINTS) {
    if (service === undefined || hasSelector(service) || service.spec?.type === 'ExternalName') {
      return [];
    }
    const { declarations } = roll;
    return writtenEndpoints(service, declarations.endpointsOf(key), declarations.slicesOf(key));
  }
  const record = roll.instance(member);
  if (record === undefined) return [];
  const conditions = conditionsOf(record, roll.override(member));
  const namespace = namespaceOfKey(key);
  if (service === undefined) {
    return serviceKeyOf(record) === key ? deriveEndpoints(record, conditions) : [];
  }
  const isSelected =
    hasSelector(service) &&
    record.namespace === namespace &&
    selects(service.spec?.selector ?? {}, record.body.labels) &&
    mayJoinService(service, record);
  return isSelected ? selectedEndpoints(service, record, conditions) : [];
}
