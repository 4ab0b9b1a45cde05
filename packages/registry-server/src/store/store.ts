import type { InstanceKey } from '@rollcall/contract';
import type { LogPage, StoreHead } from './log-entry.ts';
import type { InstanceBody, InstanceRecord, PoolName, ResourceRecord } from './record.ts';

/** Every write names the highest revision that its caller has seen; the new one is above it. */
export interface Write {
  readonly floor: number;
}

export interface GrantRequest extends Write {
  readonly instanceKey: InstanceKey;
  /** The id to use if a new lease is granted; empty = persistent, no lease. */
  readonly lease: string;
  readonly nonce: string;
  readonly takeover: boolean;
  /** Number of this write among those of its process; what arrives after a later one changes nothing. @default 0 = not numbered */
  readonly sequence?: number;
  readonly body: InstanceBody;
  /** How many instances the service may have. */
  readonly maxInstances: number;
}

export type GrantOutcome =
  | { readonly kind: 'granted'; readonly lease: string; readonly revision: number }
  /** Somebody else holds it, or this process was displaced. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'full' }
  /** It was sent before its process left the id, and arrived after that. */
  | { readonly kind: 'late' };

export interface RenewOutcome {
  readonly unknown: readonly string[];
  readonly superseded: readonly string[];
}

/** The lease named is not the current one: forgotten, or a successor has the id. */
type LeaseMiss = { readonly kind: 'unknown' } | { readonly kind: 'superseded' };

/** Of a hold that had broken a moment before. */
export interface SecondLook {
  /** A heartbeat came meanwhile: if another one is due there is time for it. @default false */
  readonly isSecondLook?: boolean;
}

export type HoldOutcome = { readonly kind: 'held'; readonly hold: number } | LeaseMiss;

/** What changes of an instance; a label set to null goes. */
export interface BodyPatch {
  readonly status?: InstanceBody['status'] | undefined;
  readonly weight?: number | undefined;
  readonly labels?: Readonly<Record<string, string | null>> | undefined;
  /** Goes with labels: what the token that sets them may register, never empty; null = everything. */
  readonly covers?: readonly string[] | null | undefined;
}

export interface UpdateRequest extends Write {
  readonly instanceKey: InstanceKey;
  /** Undefined = whoever holds it. */
  readonly lease: string | undefined;
  readonly patch: BodyPatch;
  /** Number of this write among those of the lease's process. @default 0 = not numbered */
  readonly sequence?: number;
}

export interface RevokeRequest extends Write {
  readonly instanceKey: InstanceKey;
  readonly lease: string | undefined;
  /** Of the process that leaves, when it does not know whether it got a lease. @default whoever holds it */
  readonly nonce?: string;
  /** Number of this write among those of that process: what it sent before changes nothing any more. @default 0 */
  readonly sequence?: number;
}

export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly revision: number }
  | { readonly kind: 'missing' }
  | LeaseMiss;

/** What one sweep did. */
export interface SweepOutcome {
  readonly expired: number;
  /** Silent instances that the guard kept as unreachable. */
  readonly guarded: number;
  /** Unix ms until which nothing is evicted; 0 = no grace. */
  readonly graceUntilMs: number;
  /** Whether more was due than one sweep takes. */
  readonly more: boolean;
  /** Whether the store was away, or came back with older data, within the last longest TTL: somebody may be missing. */
  readonly isUncertain: boolean;
}

/** A range of numbers; those left to be chosen for it are taken first from `first + reserved` on. */
export interface Pool {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  /** How many at its beginning are left for those who ask for a certain one, as long as others are free. */
  readonly reserved: number;
}

/** A certain number of a pool, or any free one. */
export interface ClaimRequest {
  readonly pool: PoolName;
  readonly number: number | undefined;
}

export interface PutItem {
  readonly key: string;
  readonly value: string;
  /** How long it stays, in ms; 0 = for good. */
  readonly forMs: number;
  readonly why: 'overridden' | 'created' | 'configured' | 'reported';
  /** The revision that it must have now, 0 = it must not be there; undefined = whatever. */
  readonly expected?: number | undefined;
  /** All that it is to have of the pools: what it has besides is released. */
  readonly claims?: readonly ClaimRequest[];
}

/** All are written, or none. No key may occur twice. */
export interface PutRequest extends Write {
  readonly items: readonly PutItem[];
  /** Needed for claims. */
  readonly pools?: Readonly<Record<PoolName, Pool>>;
  /** Answers what would come of it and writes nothing. */
  readonly dryRun?: boolean;
}

/** `index` is that of the item, `claim` that of its claim. */
export type PutOutcome =
  | { readonly kind: 'put'; readonly resources: readonly ResourceRecord[] }
  /** Its revision is not the expected one. */
  | { readonly kind: 'changed'; readonly index: number }
  /** Another resource has the number. */
  | {
      readonly kind: 'taken';
      readonly index: number;
      readonly claim: number;
      readonly owner: string;
    }
  /** No number of the pool is free. */
  | { readonly kind: 'exhausted'; readonly index: number; readonly claim: number };

export interface RemoveRequest extends Write {
  readonly key: string;
}

/** Mark of something deleted, so that nobody's older picture brings it back. */
export interface Tombstone {
  /** `i:<instanceKey>`, `x:<lease>` of one that left, or `r:<key>`. */
  readonly member: string;
  readonly revision: number;
  /** How much longer it is to be kept, in ms. */
  readonly forMs: number;
}

/** A replica's picture, offered to a store that lost its own. */
export interface RestoreRequest extends Write {
  readonly instances: readonly InstanceRecord[];
  readonly resources: readonly ResourceRecord[];
  readonly tombstones: readonly Tombstone[];
}

/** What came of an offer. */
export interface RestoreOutcome {
  readonly taken: number;
  /** Where the store stood afterwards: as long as it has this position, it has all that was offered. */
  readonly head: StoreHead;
}

/** Everything in the store; `head` was true before the reading began, so following starts there. */
export interface StoreSnapshot {
  readonly head: StoreHead;
  /** Last revision when the reading ended: what was read may be as new as this. */
  readonly upTo: number;
  readonly instances: readonly InstanceRecord[];
  readonly resources: readonly ResourceRecord[];
  readonly tombstones: readonly Tombstone[];
  /** What is in the store and could not be read: `instance/FIELD` or the resource's key -> what is wrong. @default none */
  readonly unreadable?: ReadonlyMap<string, string>;
}

/** Why a position in the log cannot be followed any more. */
export type Continuity = 'kept' | 'trimmed' | 'lost';

/**
 * The roll: eleven verbs and a snapshot. Every write is atomic, takes the next revision and appends to the log.
 *
 * Every method rejects with {@link StoreUnavailableError} when the store cannot be reached; a write may then have
 * happened or not. Drivers pass the same conformance suite.
 */
export interface Store {
  /** Puts an instance on the roll. The same nonce gets the same lease. */
  grant(request: GrantRequest): Promise<GrantOutcome>;
  /** Moves the deadlines of known leases to now + TTL and clears doubts; changes no revision otherwise. */
  renew(leases: readonly string[], write: Write): Promise<RenewOutcome>;
  /** Numbers a new hold on a lease, which replaces the one before, and renews. */
  hold(lease: string, write: Write): Promise<HoldOutcome>;
  /** The hold's connection closed: true if it was the current one. */
  suspect(lease: string, hold: number, write: Write & SecondLook): Promise<boolean>;
  update(request: UpdateRequest): Promise<ChangeOutcome>;
  revoke(request: RevokeRequest): Promise<ChangeOutcome>;
  /** One sweep. Any replica may call it at any time. */
  expire(write: Write): Promise<SweepOutcome>;
  /** Writes resources and gives them what they claim, all at once or not at all. */
  put(request: PutRequest): Promise<PutOutcome>;
  remove(request: RemoveRequest): Promise<ChangeOutcome>;
  /**
   * Takes what is newer than record and tombstone; the order of offers does not matter. Where two resources then have
   * the same number (one was given it while the store had forgotten the other) the one written earlier keeps it and
   * the other gets a free one.
   */
  restore(request: RestoreRequest): Promise<RestoreOutcome>;
  /** Entries after a revision, in order; an empty page with the head after some 500 ms without any. */
  follow(after: number, signal: AbortSignal): Promise<LogPage>;
  /** Whether the log still has this position. */
  continuity(position: StoreHead): Promise<Continuity>;
  snapshot(): Promise<StoreSnapshot>;
  /** Ends following and connections; twice without harm. */
  close(): Promise<void>;
}

/** The store did not answer, or answered that it cannot serve. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
}

/** The store answers and does not write: for want of rights, memory or disk. What it holds can be read. */
export class StoreRefusalError extends StoreUnavailableError {
  override readonly name = 'StoreRefusalError';
}
