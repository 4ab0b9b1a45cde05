import { keyOfObject, objectOfKey } from '../../picture/declared/object-key.ts';
import { isDeepStrictEqual } from 'node:util';
import { type ImportOutcome, instanceKeyOf } from '@rollcall/contract';
import type { DurablePart } from '../../store/durable/durable-part.ts';
import { type InstanceRecord, type ResourceRecord } from '../../store/record.ts';
import type { PutItem, StoreSnapshot } from '../../store/store.ts';
import { SELF } from '../../picture/instances/own-service.ts';

/** Two ends of an override this close count as equal, in ms: each write computes the end anew from the time left. */
const SAME_END_MS = 60_000;

const { namespace, service: name } = SELF;
const OWN_KEY = keyOfObject({ kind: 'Service', namespace, name });

/** Whether it is the registry's own service, which the registry itself maintains. */
export const isOwn = ({ key }: Pick<ResourceRecord, 'key'>) => key === OWN_KEY;

/** Whether it is a Secret: those are neither exported nor imported. */
export const isSecret = ({ key }: Pick<ResourceRecord, 'key'>) =>
  objectOfKey(key)?.kind === 'Secret';

/** An instance to put on the roll. */
export interface ImportedInstance {
  readonly record: InstanceRecord;
  /** The existing instance, also persistent. */
  readonly known: InstanceRecord | undefined;
}

/** What an import would write into a store, and the outcome of each entry. */
export interface ImportPlan {
  readonly puts: readonly PutItem[];
  readonly instances: readonly ImportedInstance[];
  readonly outcomes: ReadonlyMap<string, ImportOutcome>;
}

interface Rules {
  /** Also write entries that are older than the existing ones, or that were deleted since. */
  readonly replace: boolean;
  readonly nowMs: number;
}

/** Decides about each entry of an export. Pure. */
export function planImport(part: DurablePart, store: StoreSnapshot, rules: Rules): ImportPlan {
  const { replace, nowMs } = rules;
  const outcomes = new Map<string, ImportOutcome>();
  const tombstones = new Map(store.tombstones.map(({ member, revision }) => [member, revision]));
  const isDead = (member: string, revision: number) => (tombstones.get(member) ?? 0) > revision;

  const resources = new Map(store.resources.map((resource) => [resource.key, resource]));
  const puts: PutItem[] = [];
  for (const resource of part.resources) {
    const { key, revision, untilMs } = resource;
    const known = resources.get(key);
    let outcome: ImportOutcome = 'written';
    if (isOwn(resource)) outcome = 'own';
    else if (untilMs > 0 && untilMs <= nowMs) outcome = 'ended';
    else if (known !== undefined && isSame(known, resource)) outcome = 'unchanged';
    else if (!replace && known !== undefined && known.revision >= revision) outcome = 'newer';
    else if (!replace && isDead(`r:${key}`, revision)) outcome = 'deleted';
    outcomes.set(key, outcome);
    if (outcome === 'written') puts.push(putOf(resource, known, nowMs));
  }

  const roll = new Map(store.instances.map((record) => [instanceKeyOf(record), record]));
  const instances: ImportedInstance[] = [];
  for (const record of part.instances) {
    const instanceKey = instanceKeyOf(record);
    const known = roll.get(instanceKey);
    let outcome: ImportOutcome = 'written';
    if (known !== undefined && known.lease !== '') outcome = 'live';
    else if (known !== undefined && isSameBody(known, record)) outcome = 'unchanged';
    else if (!replace && known !== undefined && known.revision >= record.revision)
      outcome = 'newer';
    else if (!replace && isDead(`i:${instanceKey}`, record.revision)) outcome = 'deleted';
    outcomes.set(`instance/${instanceKey}`, outcome);
    if (outcome === 'written') instances.push({ record, known });
  }
  return { puts, instances, outcomes };
}

function putOf(
  resource: ResourceRecord,
  known: ResourceRecord | undefined,
  nowMs: number,
): PutItem {
  const { key, value, untilMs, claims } = resource;
  const declared = known === undefined ? 'created' : 'configured';
  return {
    key,
    value,
    claims,
    forMs: untilMs > 0 ? untilMs - nowMs : 0,
    why: key.startsWith('override/') ? 'overridden' : declared,
    expected: known?.revision ?? 0,
  };
}

function isSame(a: ResourceRecord, b: ResourceRecord): boolean {
  return (
    a.value === b.value &&
    a.untilMs > 0 === b.untilMs > 0 &&
    Math.abs(a.untilMs - b.untilMs) < SAME_END_MS &&
    isDeepStrictEqual(a.claims, b.claims)
  );
}

/** Compares all but the status, which checks determine. */
function isSameBody({ body: a }: InstanceRecord, { body: b }: InstanceRecord): boolean {
  return isDeepStrictEqual({ ...a, status: b.status }, { ...b });
}
