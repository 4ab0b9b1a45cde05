import {
  type Conditions,
  type Endpoint,
  type InstanceState,
  type Override,
  STATE_TABLE,
  stateOf,
  type InstanceKey,
} from '@rollcall/contract';
import type { InstanceRecord } from '../../store/record.ts';

/** The override of an instance as the store keeps it: without its end, which is a field of the resource. */
export type StoredOverride = Omit<Override, 'untilMs'>;

const SUSPECT = 'the connection of its hold closed without goodbye';
const UNCONFIRMED = 'not renewed since the store was away, or lost data';

/** Key of the resource that holds an instance's override. */
export function overrideKeyOf(instanceKey: InstanceKey): string {
  return `override/${instanceKey}`;
}

/** Reads the key of an override back. */
export function instanceOfOverride(key: string): InstanceKey {
  return key.slice('override/'.length) as InstanceKey;
}

/** The state of an instance, with its override applied. */
export function stateOfRecord(
  record: InstanceRecord,
  override: Override | undefined,
): InstanceState {
  return stateOf(record.body.status, record.doubt, override?.status);
}

function reasonOf(record: InstanceRecord, override: Override | undefined): string {
  if (override !== undefined) return `overridden by ${override.author}: ${override.reason}`;
  if (record.body.status !== 'up' || record.doubt === undefined) return '';
  if (record.doubt === 'suspect') return SUSPECT;
  if (record.doubt === 'unconfirmed') return UNCONFIRMED;
  const end = new Date(record.doubtUntilMs).toISOString();
  return `silent together with more than half of its service; kept until ${end}`;
}

/** What an instance's state means for its endpoints. */
export interface InstanceConditions extends Conditions {
  readonly state: InstanceState;
  /** Why it is in that state; empty when there is nothing to explain. */
  readonly reason: string;
}

export function conditionsOf(
  record: InstanceRecord,
  override: Override | undefined,
): InstanceConditions {
  const state = stateOfRecord(record, override);
  return { state, reason: reasonOf(record, override), ...STATE_TABLE[state] };
}

/** The endpoints of an instance in its own service, one per port. Pure. */
export function deriveEndpoints(
  record: InstanceRecord,
  conditions: InstanceConditions,
): readonly Endpoint[] {
  const { body, id } = record;
  return Object.entries(body.ports).map(([portName, { port, containerPort, protocol }]) =>
    Object.freeze({
      id: `${id}/${portName}`,
      instance: id,
      address: body.address,
      port,
      portName,
      protocol,
      containerPort: containerPort ?? port,
      zone: body.zone,
      weight: body.weight,
      labels: body.labels,
      ...conditions,
    }),
  );
}
