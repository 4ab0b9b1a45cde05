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
import { isVouchedFor, selectedEndpoints, selects } from './declared/selected-endpoints.ts';
import { writtenEndpoints } from './declared/written-endpoints.ts';
import { conditionsOf, deriveEndpoints } from './instances/endpoints.ts';
import type { Roll } from './roll.ts';

/** Stands for what was written by hand, where else the key of an instance stands. */
export const WRITTEN = '';

/** An instance as a member of a service, or what was written by hand. */
export type Member = InstanceKey | typeof WRITTEN;

/** Up to so many services are asked one by one about each instance; more are found by their selectors. */
const FEW = 8;

/** A declared service with a selector. */
interface Selecting {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly pairs: readonly (readonly [string, string])[];
}

/**
 * The keys of those that are members of services now. One pass over the instances, however many services are asked
 * for: a file may declare a thousand.
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
    } else if (!hasSelector(service)) own.push(WRITTEN);
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

/** The endpoints that a member has in a service; none when it is none. Pure. */
export function deriveMember(roll: Roll, key: ServiceKey, member: Member): readonly Endpoint[] {
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
  const namespace = namespaceOfKey(key);
  if (service === undefined) {
    return serviceKeyOf(record) === key ? deriveEndpoints(record, conditions) : [];
  }
  const isSelected =
    hasSelector(service) &&
    record.namespace === namespace &&
    selects(service.spec?.selector ?? {}, record.body.labels) &&
    isVouchedFor(service, record);
  return isSelected ? selectedEndpoints(service, record, conditions) : [];
}
