import {
  Address,
  HealthCheck,
  InstanceId,
  InstancePorts,
  InstanceStatus,
  Labels,
  NamespaceName,
  OverrideRequest,
  ProblemError,
  Registration,
  ServiceName,
  TtlMs,
  Weight,
  instanceKeyOf,
} from '@rollcall/contract';
import { decodeManifest, examine, KINDS, type Manifest } from '@rollcall/manifests';
import { z } from 'zod';
import type { DurablePart } from '../../store/durable/durable-part.ts';
import { type InstanceRecord, type ResourceRecord } from '../../store/record.ts';
import { claimSlotsOf } from '../../picture/declared/claim-slots.ts';
import { objectOfKey } from '../../picture/declared/object-key.ts';

const InstanceKey = z.strictObject({
  namespace: NamespaceName,
  service: ServiceName,
  id: InstanceId,
});

const Body = z.looseObject({
  address: Address,
  ports: InstancePorts,
  labels: Labels,
  zone: Registration.shape.zone.unwrap(),
  weight: Weight,
  ttlMs: TtlMs,
  status: InstanceStatus,
  check: HealthCheck,
  labelScopes: z.array(z.string()).optional(),
  owner: z.string().optional(),
});

const Count = z.int().min(0);

/** The fields of a persistent instance outside its key and body. A store may join them into one text. */
const Held = z.object({
  revision: Count,
  lease: z.literal(''),
  nonce: z.literal('').or(Registration.shape.nonce.unwrap()),
  doubt: z.undefined().optional(),
  doubtUntilMs: Count,
  registeredAtMs: Count,
});

const StoredTimes = z.object({ revision: Count, untilMs: Count });

const StoredOverride = OverrideRequest.omit({ forMs: true });

const ObjectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);

/** An export that cannot be used, and why. Nothing of it may be written. */
export function invalidExport(message: string, cause?: unknown): ProblemError {
  return new ProblemError('invalid_export', message, { cause });
}

/** How many entries at fault one message names. */
const MOST_NAMED = 20;

/**
 * Throws `invalid_export`, with the entries at fault, unless this registry could have written every entry itself. The
 * checksum only detects accidental changes, and one bad record would stop every server that reads it.
 */
export function checkContent({ resources, instances }: DurablePart): void {
  const seen = new Set<string>();
  const faults: string[] = [];
  const check = (item: string, faultOf: () => string | undefined) => {
    const fault = seen.has(item) ? 'expected it once' : faultOf();
    seen.add(item);
    if (fault !== undefined) faults.push(`${item}: ${fault}`);
  };
  for (const resource of resources) {
    const isOverride = resource.key.startsWith('override/');
    check(
      resource.key,
      () =>
        faultIn(StoredTimes, resource) ??
        (isOverride ? overrideFault(resource) : objectFault(resource)),
    );
  }
  for (const record of instances)
    check(`instance/${instanceKeyOf(record)}`, () => instanceFault(record));
  if (faults.length === 0) return;
  const named = faults.slice(0, MOST_NAMED).join('; ');
  const more = faults.length - MOST_NAMED;
  throw invalidExport(more > 0 ? `${named}; and ${more} more` : named);
}

function faultIn(schema: z.ZodType, value: unknown): string | undefined {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function overrideFault({ key, value, claims }: ResourceRecord): string | undefined {
  const [, namespace, service, id, ...rest] = key.split('/');
  if (rest.length > 0) return 'expected override/NAMESPACE/SERVICE/INSTANCE';
  if (claims.length > 0) return 'expected no claims';
  return faultIn(InstanceKey, { namespace, service, id }) ?? faultIn(StoredOverride, jsonOf(value));
}

function objectFault({ key, value, claims }: ResourceRecord): string | undefined {
  const ref = objectOfKey(key);
  if (ref === undefined) return 'expected a kind of object that this registry knows';
  if (ref.kind === 'Secret')
    return 'expected no Secrets: they are not exported, declare them again';
  if (key.split('/').length !== 3) return 'expected KIND/NAMESPACE/NAME';
  const Place = KINDS[ref.kind].isNamespaced ? NamespaceName : z.literal('');
  const nameFault = faultIn(Place, ref.namespace) ?? faultIn(ObjectName, ref.name);
  if (nameFault !== undefined) return nameFault;
  const json = jsonOf(value);
  if (json === undefined) return 'expected a manifest as JSON';
  const { manifest, faults } = decodeManifest(ref.kind, json);
  const [fault] = faults;
  if (fault !== undefined) return `${fault.field}: ${fault.message}`;
  if (manifest === undefined) return 'expected a manifest';
  const whole = examine(manifest);
  const ofStatus = KINDS[ref.kind].status?.validate(whole.manifest as never) ?? [];
  const [invalid] = [...whole.faults, ...ofStatus];
  if (invalid !== undefined) return `${invalid.field}: ${invalid.message}`;
  const { metadata, kind } = manifest;
  const isOwn =
    kind === ref.kind && metadata.name === ref.name && metadata.namespace === ref.namespace;
  return isOwn
    ? claimFault(manifest, claims)
    : 'expected the manifest of the object that it is stored as';
}

/** The claims must match the claim slots of the manifest, in the same order. */
function claimFault(manifest: Manifest, claims: ResourceRecord['claims']): string | undefined {
  const slots = manifest.kind === 'Service' ? claimSlotsOf(manifest) : [];
  const isWhole =
    slots.length === claims.length &&
    slots.every(({ pool, number }, i) => {
      const claim = claims[i];
      return claim?.pool === pool && (number === undefined || claim.number === number);
    });
  return isWhole ? undefined : 'expected claims on the cluster IP and node ports of its manifest';
}

function instanceFault(record: InstanceRecord): string | undefined {
  const { namespace, service, id, body } = record;
  const key = { namespace, service, id };
  return faultIn(InstanceKey, key) ?? faultIn(Held, record) ?? faultIn(Body, body);
}
