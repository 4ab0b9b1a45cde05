import { z } from 'zod';
import { Address } from './address.ts';
import { HealthCheck } from './health-check.ts';
import { InstanceId, LabelKey, LabelValue, LeaseId, NamespaceName, ServiceName } from './names.ts';
import { Override } from './override.ts';
import { InstancePorts, InstancePort } from './port.ts';
import { Doubt, InstanceStatus } from './state.ts';

/** TTL of a lease in ms: 1 s to 5 min. */
export const TtlMs = z
  .int({ error: 'expected a TTL in whole milliseconds, 1000 to 300000' })
  .min(1_000, { error: 'expected a TTL in whole milliseconds, 1000 to 300000' })
  .max(300_000, { error: 'expected a TTL in whole milliseconds, 1000 to 300000' });

/** TTL of a lease when the registration names none, in ms. */
export const DEFAULT_TTL_MS = 10_000;

/** Share of traffic relative to the others; 0 gets no new calls while another has weight. */
export const Weight = z
  .int({ error: 'expected a weight, 0 to 65535' })
  .min(0, { error: 'expected a weight, 0 to 65535' })
  .max(65_535, { error: 'expected a weight, 0 to 65535' });

export const DEFAULT_WEIGHT = 100;

/** Labels of an instance. The server limits their number and length. */
export const Labels = z.record(LabelKey, LabelValue);
export type Labels = z.output<typeof Labels>;

const Zone = z.string().regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$|^$/, {
  error: "expected a zone: up to 63 letters, digits, '-', '_' or '.'",
});

/**
 * Number of a write of one process about one instance, from 1 on. A write that arrives after a later one changes
 * nothing: a network may delay a request until long after its caller gave up.
 */
export const Sequence = z
  .int({ error: 'expected a whole number, 1 or more' })
  .min(1, { error: 'expected a whole number, 1 or more' });

/** Distinguishes processes that use the same instance id. */
export const Nonce = z.string().regex(/^[-A-Za-z0-9_.]{8,64}$/, {
  error: "expected a nonce: 8 to 64 letters, digits, '-', '_' or '.'",
});

/** What an instance says about itself when it registers. */
export const Registration = z
  .strictObject({
    /** Where callers reach it. @default the address of the connection's other end */
    address: Address.optional(),
    ports: InstancePorts,
    /** `app` is set to the service's name unless given. */
    labels: Labels.default({}),
    /** Failure zone; empty = none. */
    zone: Zone.default(''),
    weight: Weight.default(DEFAULT_WEIGHT),
    ttlMs: TtlMs.default(DEFAULT_TTL_MS),
    status: InstanceStatus.default('up'),
    /** Chosen once at process start: a retry with the same nonce gets the same lease. */
    nonce: Nonce.optional(),
    /** Number of this write in its process; requires `nonce` to have an effect. */
    sequence: Sequence.optional(),
    /** It has no lease; instead the registry checks it with `check`. */
    persistent: z.boolean().default(false),
    /** How the registry checks a persistent instance. */
    check: HealthCheck.optional(),
  })
  .refine((r) => r.persistent === (r.check !== undefined), {
    path: ['check'],
    error: 'expected a check exactly when persistent is true',
  })
  .meta({ id: 'Registration' });
export type Registration = z.output<typeof Registration>;
export type RegistrationInput = z.input<typeof Registration>;

/** The right to stay on the roll, as its owner sees it. */
export const Lease = z
  .object({
    id: LeaseId,
    ttlMs: z.int(),
    /** How often to renew: a third of the TTL. */
    heartbeatIntervalMs: z.int(),
  })
  .meta({ id: 'Lease' });
export type Lease = z.output<typeof Lease>;

/** A position in the registry's history. Opaque: compare it for equality only. */
export const Revision = z
  .string()
  .regex(/^\d{1,16}$/, { error: 'expected a revision as the registry gave it' });

/**
 * A position to resume a watch from, as in `id:`: a revision, then a dash and the digest of everything up to it. The
 * digest tells a past that the store lost from the current one.
 */
export const WatchPosition = z
  .string()
  .regex(/^\d{1,16}(-[0-9a-f]{1,64})?$/, { error: 'expected an id as the registry gave it' });

/** Reply to a registration. A persistent instance gets no lease. */
export const Registered = z
  .object({ lease: Lease.nullable(), revision: Revision })
  .meta({ id: 'Registered' });
export type Registered = z.output<typeof Registered>;

/** The changes allowed on a registered instance. Labels are merged; a label set to null is removed. */
export const InstancePatch = z
  .strictObject({
    status: InstanceStatus.optional(),
    weight: Weight.optional(),
    labels: z.record(LabelKey, LabelValue.nullable()).optional(),
    /** Number of this write in its process; only counts together with the lease. */
    sequence: Sequence.optional(),
  })
  .refine(({ status, weight, labels }) => (status ?? weight ?? labels) !== undefined, {
    error: 'expected at least one of status, weight, labels',
  })
  .meta({ id: 'InstancePatch' });
export type InstancePatch = z.output<typeof InstancePatch>;

/** An instance as the registry shows it. The lease id is never shown here. */
export const Instance = z
  .object({
    namespace: NamespaceName,
    service: ServiceName,
    id: InstanceId,
    address: z.string(),
    ports: z.record(z.string(), InstancePort),
    labels: z.record(z.string(), z.string()),
    zone: z.string(),
    weight: z.int(),
    ttlMs: z.int(),
    persistent: z.boolean(),
    /** What the instance reports about itself. */
    status: InstanceStatus,
    /** Why the registry doubts it, if it does. */
    doubt: Doubt.nullable(),
    override: Override.nullable(),
    /** The result of the three fields above; the key of the state table. */
    state: z.enum(['up', 'starting', 'down', 'draining', 'suspect', 'unreachable', 'unconfirmed']),
    ready: z.boolean(),
    serving: z.boolean(),
    terminating: z.boolean(),
    tier: z.union([z.literal(0), z.literal(1), z.null()]),
    revision: Revision,
    /** Unix time in ms on the store's clock. */
    registeredAtMs: z.int(),
  })
  .meta({ id: 'Instance' });
export type Instance = z.output<typeof Instance>;

/** Reply to a change of an instance. */
export const Revised = z.object({ revision: Revision }).meta({ id: 'Revised' });
export type Revised = z.output<typeof Revised>;
