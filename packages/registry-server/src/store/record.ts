import type {
  Doubt,
  HealthCheck,
  InstancePorts,
  InstanceRef,
  InstanceStatus,
} from '@rollcall/contract';

/** What an instance said about itself. The store keeps it unchanged, except for what `update` changes. */
export interface InstanceBody {
  readonly address: string;
  readonly ports: InstancePorts;
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string;
  readonly weight: number;
  readonly ttlMs: number;
  readonly status: InstanceStatus;
  /** Only for a persistent instance. */
  readonly check?: HealthCheck;
  /** What the token that set the labels may register, from its scopes; absent = everything. */
  readonly labelScopes?: readonly string[];
  /** The owner, for quotas: a part of the token's digest. Absent for an admin token. */
  readonly owner?: string;
}

/** A stored instance. Immutable: each change makes a new one. */
export interface InstanceRecord extends InstanceRef {
  /** Revision of the write that set its content; a restored record keeps its old one. */
  readonly revision: number;
  /** Empty for a persistent instance. */
  readonly lease: string;
  /** Empty when the registrant gave none. */
  readonly nonce: string;
  /** Number of the last write of its process, if the process numbers its writes; 0 = not numbered. */
  readonly sequence: number;
  readonly doubt: Doubt | undefined;
  /** Unix ms at which an `unreachable` doubt ends; 0 otherwise. */
  readonly doubtUntilMs: number;
  /** Unix ms on the store's clock. */
  readonly registeredAtMs: number;
  readonly body: InstanceBody;
}

/** A range of numbers, each owned by at most one resource at a time. */
export type PoolName = 'clusterIps' | 'nodePorts';

/** A number that a resource owns: an IPv4 address as an integer, or a port. */
export interface Claim {
  readonly pool: PoolName;
  readonly number: number;
}

/** An entry without a lease: an override, a declared object, a report. */
export interface ResourceRecord {
  /** `<kind>/<namespace>/<name...>`. */
  readonly key: string;
  readonly revision: number;
  /** Unix ms at which the store removes it; 0 = never. */
  readonly untilMs: number;
  /** Its numbers, in the order of the request; released when the resource is removed. */
  readonly claims: readonly Claim[];
  /** JSON text. */
  readonly value: string;
}

/** How the keys of reports about drains begin; see `writes/seen-drains.ts`. */
export const SEEN = 'seen/';

/** Whether a resource is written again and again, or for a moment: then it is neither exported nor kept in a file. */
export const isPassing = (key: string): boolean =>
  key.startsWith('report/') || key.startsWith(SEEN);

/** The timeline's name for the end of a resource. */
export function endOf(key: string): 'override-removed' | 'report-ended' | 'deleted' {
  if (key.startsWith('override/')) return 'override-removed';
  return key.startsWith('report/') ? 'report-ended' : 'deleted';
}
