import type { InstanceKey } from '@rollcall/contract';
import type { LogPage, StoreHead } from './log-entry.ts';
import type { InstanceBody, InstanceRecord, PoolName, ResourceRecord } from './record.ts';

/** Every write names the highest revision that its caller has seen; the new revision is higher. */
export interface Write {
  readonly floor: number;
}

export interface GrantRequest extends Write {
  readonly instanceKey: InstanceKey;
  /** The id for a new lease; empty = persistent, no lease. */
  readonly lease: string;
  readonly nonce: string;
  readonly takeover: boolean;
  /** Number of this write in its process; it changes nothing if a later one has arrived. @default 0 = not numbered */
  readonly sequence?: number;
  readonly body: InstanceBody;
  /** How many instances the service may have. */
  readonly maxInstances: number;
}

export type GrantOutcome =
  | { readonly kind: 'granted'; readonly lease: string; readonly revision: number }
  /** Another process holds the id, or this process was displaced. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'full' }
  /** The process sent it before it left the id, and it arrived after that. */
  | { readonly kind: 'late' };

export interface RenewOutcome {
  readonly unknown: readonly string[];
  readonly superseded: readonly string[];
}

/** The lease is not the current one: the store does not know it, or a successor has the id. */
type LeaseMiss = { readonly kind: 'unknown' } | { readonly kind: 'superseded' };

/** For the second look at a hold that broke a moment before. */
export interface SecondLook {
  /** A heartbeat arrived in between: leaves time for one more that may be due. @default false */
  readonly isSecondLook?: boolean;
}

export type HoldOutcome = { readonly kind: 'held'; readonly hold: number } | LeaseMiss;

/** Changes to an instance; a label set to null is removed. */
export interface BodyPatch {
  readonly status?: InstanceBody['status'] | undefined;
  readonly weight?: number | undefined;
  readonly labels?: Readonly<Record<string, string | null>> | undefined;
  /** Set together with labels: what the token that sets them may register. Never empty; null = everything. */
  readonly labelScopes?: readonly string[] | null | undefined;
}

export interface UpdateRequest extends Write {
  readonly instanceKey: InstanceKey;
  /** Undefined = any holder. */
  readonly lease: string | undefined;
  readonly patch: BodyPatch;
  /** Number of this write in the process of the lease. @default 0 = not numbered */
  readonly sequence?: number;
}

export interface RevokeRequest extends Write {
  readonly instanceKey: InstanceKey;
  readonly lease: string | undefined;
  /** Nonce of the leaving process, when it does not know whether it got a lease. @default any holder */
  readonly nonce?: string;
  /** Number of this write in that process: earlier writes no longer change anything. @default 0 */
  readonly sequence?: number;
}

export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly revision: number }
  | { readonly kind: 'missing' }
  | LeaseMiss;

/** What one sweep did. */
export interface SweepOutcome {
  readonly expired: number;
  /** Silent instances that the guard keeps as unreachable. */
  readonly guarded: number;
  /** Unix ms until which nothing is evicted; 0 = no grace. */
  readonly graceUntilMs: number;
  /** Whether more leases were due than one sweep takes. */
  readonly more: boolean;
  /**
   * Whether the store was away, or came back with older data, within the last longest TTL: instances may be missing.
   */
  readonly isUncertain: boolean;
}

/** A range of numbers. The store picks from `first + reserved` upwards first. */
export interface Pool {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  /** How many numbers at the start are kept for requests of a certain number, as long as others are free. */
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
  /** How long it stays, in ms; 0 = no limit. */
  readonly forMs: number;
  readonly why: 'overridden' | 'created' | 'configured' | 'reported';
  /** The revision that it must have now; 0 = it must not exist; undefined = any. */
  readonly expected?: number | undefined;
  /** All its claims: any other number that it has is released. */
  readonly claims?: readonly ClaimRequest[];
}

/** All items are written, or none. No key may occur twice. */
export interface PutRequest extends Write {
  readonly items: readonly PutItem[];
  /** Needed for claims. */
  readonly pools?: Readonly<Record<PoolName, Pool>>;
  /** Answers what the outcome would be and writes nothing. */
  readonly dryRun?: boolean;
}

/** `index` is the index of the item, `claim` that of its claim. */
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
  /** The revision that it must have now. @default any */
  readonly expected?: number | undefined;
}

export type RemoveOutcome =
  | { readonly kind: 'changed'; readonly revision: number }
  | { readonly kind: 'missing' }
  /** It has another revision than the expected one; nothing was removed. */
  | { readonly kind: 'other' };

/** Marks a deletion, so that a replica's older picture does not bring the entry back. */
export interface Tombstone {
  /** `i:<instanceKey>`, `x:<lease>` of an instance that left, or `r:<key>`. */
  readonly member: string;
  readonly revision: number;
  /** How much longer to keep it, in ms. */
  readonly forMs: number;
}

/** A replica's picture, offered to a store that lost its data. */
export interface RestoreRequest extends Write {
  readonly instances: readonly InstanceRecord[];
  readonly resources: readonly ResourceRecord[];
  readonly tombstones: readonly Tombstone[];
}

/** The outcome of an offer. */
export interface RestoreOutcome {
  readonly taken: number;
  /** The store's position afterwards: as long as it still has this position, it has everything that was offered. */
  readonly head: StoreHead;
}

/** Everything in the store. `head` was read before the rest, so following starts there. */
export interface StoreSnapshot {
  readonly head: StoreHead;
  /** Last revision when the read ended: the content may be as new as this. */
  readonly upTo: number;
  readonly instances: readonly InstanceRecord[];
  readonly resources: readonly ResourceRecord[];
  readonly tombstones: readonly Tombstone[];
  /** Entries that could not be read: `instance/FIELD` or the resource's key -> what is wrong. @default none */
  readonly unreadable?: ReadonlyMap<string, string>;
}

/** Whether a position in the log can still be followed, and if not, why. */
export type Continuity = 'kept' | 'trimmed' | 'lost';

/**
 * The roll: ten writes, the log (`follow`, `continuity`) and a snapshot. Every write is atomic, takes the next revision
 * and appends to the log.
 *
 * Every method rejects with {@link StoreUnavailableError} when the store cannot be reached; then a write may or may not
 * have happened. All drivers pass the same conformance suite.
 */
export interface Store {
  /** Puts an instance on the roll. The same nonce gets the same lease. */
  grant(request: GrantRequest): Promise<GrantOutcome>;
  /** Moves the deadlines of known leases to now + TTL and clears doubts. Only a cleared doubt makes a new revision. */
  renew(leases: readonly string[], write: Write): Promise<RenewOutcome>;
  /** Numbers a new hold on a lease and renews the lease. The new hold replaces the previous one. */
  hold(lease: string, write: Write): Promise<HoldOutcome>;
  /** The connection of the hold closed. True if it was the current hold. */
  suspect(lease: string, hold: number, write: Write & SecondLook): Promise<boolean>;
  update(request: UpdateRequest): Promise<ChangeOutcome>;
  revoke(request: RevokeRequest): Promise<ChangeOutcome>;
  /** One sweep. Any replica may call it at any time. */
  expire(write: Write): Promise<SweepOutcome>;
  /** Writes resources and gives them the numbers they claim, all or nothing. */
  put(request: PutRequest): Promise<PutOutcome>;
  remove(request: RemoveRequest): Promise<RemoveOutcome>;
  /**
   * Takes everything newer than its own record and tombstone; the order of offers does not matter. If two resources
   * then have the same number (one got it while the store had forgotten the other), the one written earlier keeps it
   * and the other gets a free one.
   */
  restore(request: RestoreRequest): Promise<RestoreOutcome>;
  /** Entries after a revision, in order; after about 500 ms without any, an empty page with the head. */
  follow(after: number, signal: AbortSignal): Promise<LogPage>;
  /** Whether the log still has this position. */
  continuity(position: StoreHead): Promise<Continuity>;
  snapshot(): Promise<StoreSnapshot>;
  /** Ends following and closes the connections. May be called twice. */
  close(): Promise<void>;
}

/** The store did not answer, or answered that it cannot serve. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
}

/** The store answers but does not write, for lack of rights, memory or disk space. Its content can be read. */
export class StoreRefusalError extends StoreUnavailableError {
  override readonly name = 'StoreRefusalError';
}
