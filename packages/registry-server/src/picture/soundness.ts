import { OverrideRequest, ServiceReport, instanceKeyOf } from '@rollcall/contract';
import { KINDS } from '@rollcall/manifests';
import type { z } from 'zod';
import type { LogEntry } from '../store/log-entry.ts';
import { type InstanceRecord, type ResourceRecord } from '../store/record.ts';
import type { StoreSnapshot } from '../store/store.ts';
import { objectOfKey, reportOfKey } from './declared/object-key.ts';

/** Key of an unreadable entry -> what is wrong with it. An instance has the key `instance/NAMESPACE/SERVICE/ID`. */
export type Unreadable = ReadonlyMap<string, string>;

const STATUSES: ReadonlySet<unknown> = new Set(['up', 'starting', 'down', 'draining']);
const DOUBTS: ReadonlySet<unknown> = new Set([undefined, 'suspect', 'unreachable', 'unconfirmed']);
const PROTOCOLS: ReadonlySet<unknown> = new Set(['TCP', 'UDP', 'SCTP']);
const StoredOverride = OverrideRequest.omit({ forMs: true }).loose();

type Fields = Readonly<Record<string, unknown>>;

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isPort = (value: unknown) =>
  isCount(value) && (value as number) >= 1 && (value as number) <= 65_535;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const areTexts = (value: unknown) =>
  isFields(value) && Object.values(value).every((one) => typeof one === 'string');

/**
 * What is wrong with an instance that another program, or a fault, wrote into the store; undefined = it can be served.
 * Checked by hand and not by schema, since a server checks 100,000 of them before it is ready. The rules for
 * registering are not applied again: they may have become stricter since.
 */
function instanceFault(record: InstanceRecord): string | undefined {
  const { namespace, service, id, revision, doubt, doubtUntilMs, registeredAtMs } = record;
  if (namespace === '' || service === '' || id === '') return 'expected NAMESPACE/SERVICE/ID';
  if (![revision, doubtUntilMs, registeredAtMs].every(isCount)) return 'expected whole numbers';
  if (!DOUBTS.has(doubt)) return `doubt: got ${JSON.stringify(doubt)}`;
  const body: unknown = record.body;
  return isFields(body) ? bodyFault(body) : 'expected a JSON object';
}

function bodyFault(body: Fields): string | undefined {
  const { address, ports, labels, zone, weight, ttlMs, status, check, labelScopes, owner } = body;
  if (typeof address !== 'string' || address === '') return 'address: expected a string';
  if (!isFields(ports)) return 'ports: expected named ports';
  for (const name in ports) {
    const port = ports[name];
    if (!isFields(port) || !isPort(port['port']) || !PROTOCOLS.has(port['protocol'])) {
      return `ports.${name}: expected port and protocol`;
    }
    if (port['containerPort'] !== undefined && !isPort(port['containerPort'])) {
      return `ports.${name}.containerPort: expected a port number`;
    }
  }
  if (!areTexts(labels)) return 'labels: expected texts by their names';
  if (typeof zone !== 'string') return 'zone: expected a string';
  if (!isCount(weight) || (weight as number) > 65_535) return 'weight: expected 0 to 65535';
  if (!isCount(ttlMs)) return 'ttlMs: expected a whole number';
  if (!STATUSES.has(status)) return 'status: expected up, starting, down or draining';
  if (check !== undefined && !isFields(check)) return 'check: expected an object';
  if (
    labelScopes !== undefined &&
    !(Array.isArray(labelScopes) && labelScopes.every((one) => typeof one === 'string'))
  )
    return 'labelScopes: expected a list of texts';
  return owner === undefined || typeof owner === 'string' ? undefined : 'owner: expected a string';
}

/** What is wrong with a resource. Ignores the fields of newer versions. */
function resourceFault({ key, revision, untilMs, value }: ResourceRecord): string | undefined {
  if (!isCount(revision) || !isCount(untilMs)) return 'expected whole numbers';
  const isOverride = key.startsWith('override/');
  const ref = objectOfKey(key);
  if (!isOverride && ref === undefined && reportOfKey(key) === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch (error) {
    return `expected JSON: ${(error as Error).message.slice(0, 200)}`;
  }
  if (ref === undefined) return schemaFault(isOverride ? StoredOverride : ServiceReport, json);
  const fault = schemaFault(KINDS[ref.kind].schema, json);
  if (fault !== undefined) return fault;
  const { metadata } = json as { readonly metadata: { name?: unknown; namespace?: unknown } };
  const isOwn = metadata.name === ref.name && metadata.namespace === ref.namespace;
  return isOwn ? undefined : 'metadata: expected the name and namespace that it is stored under';
}

function schemaFault(schema: z.ZodType, json: unknown): string | undefined {
  const issues = schema.safeParse(json).error?.issues ?? [];
  const issue = issues.find(({ code }) => code !== 'unrecognized_keys');
  return issue && `${issue.path.join('.') || 'value'}: ${issue.message}`;
}

/** A snapshot without the entries that cannot be served, and the list of those. */
export function soundSnapshot(snapshot: StoreSnapshot): {
  readonly sound: StoreSnapshot;
  readonly unreadable: Map<string, string>;
} {
  const unreadable = new Map(snapshot.unreadable);
  const isSound = (key: string, fault: string | undefined) => {
    if (fault === undefined) return true;
    unreadable.set(key, fault);
    return false;
  };
  const instances = snapshot.instances.filter((record) => {
    const fault = instanceFault(record);
    return fault === undefined || isSound(`instance/${instanceKeyOf(record)}`, fault);
  });
  const resources = snapshot.resources.filter((one) => isSound(one.key, resourceFault(one)));
  return { sound: { ...snapshot, instances, resources }, unreadable };
}

/** An entry whose content cannot be served only says that the value before it no longer exists. */
export function soundEntry(entry: LogEntry): LogEntry {
  const { op, revision, prev, before, digest, atMs, why } = entry;
  const isInstance = op === 'set';
  if (!isInstance && op !== 'put') return entry;
  const fault = isInstance ? instanceFault(entry.record) : resourceFault(entry.resource);
  if (fault === undefined) return entry;
  const key = isInstance ? `instance/${instanceKeyOf(entry.record)}` : entry.resource.key;
  return { revision, prev, before, digest, atMs, why, op: 'spoilt', key, fault };
}
