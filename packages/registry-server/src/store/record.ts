import type {
  Doubt,
  HealthCheck,
  InstancePorts,
  InstanceRef,
  InstanceStatus,
} from '@rollcall/contract';

/** What an instance said of itself; the store keeps it as it is, save for what `update` changes. */
export interface InstanceBody {
  readonly address: string;
  readonly ports: InstancePorts;
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string;
  readonly weight: number;
  readonly ttlMs: number;
  readonly status: InstanceStatus;
  /** Only a persistent instance has one. */
  readonly check?: HealthCheck;
  /** What the token that set its labels may register, as its scopes say; absent = everything. */
  readonly covers?: readonly string[];
  /** Whose it is, for quotas: a part of the digest of a token that is no admin's. */
  readonly owner?: string;
}

/** An instance as the store holds it. Immutable: each change makes a new one. */
export interface InstanceRecord extends InstanceRef {
  /** Revision of the write that gave it its content; a restored record keeps the one it had. */
  readonly revision: number;
  /** Empty for a persistent instance. */
  readonly lease: string;
  /** Empty when the registrant gave none. */
  readonly nonce: string;
  /** Of the last write of its process, which numbers its own; 0 = it numbers none. */
  readonly sequence: number;
  readonly doubt: Doubt | undefined;
  /** Unix ms at which an `unreachable` doubt ends; 0 otherwise. */
  readonly doubtUntilMs: number;
  /** Unix ms on the store's clock. */
  readonly registeredAtMs: number;
  readonly body: InstanceBody;
}

/** A range from which numbers are given out, each to one resource at a time. */
export type PoolName = 'clusterIps' | 'nodePorts';

/** A number of a pool that a resource has: an IPv4 address as an integer, or a port. */
export interface Claim {
  readonly pool: PoolName;
  readonly number: number;
}

/** A durable thing that holds no lease: an override, a declared object, a report. */
export interface ResourceRecord {
  /** `<kind>/<namespace>/<name...>`. */
  readonly key: string;
  readonly revision: number;
  /** Unix ms at which the store removes it; 0 = never. */
  readonly untilMs: number;
  /** What it has of the pools, in the order asked for; released when it goes. */
  readonly claims: readonly Claim[];
  /** JSON text. */
  readonly value: string;
}

/** What the timeline calls the end of a resource. */
export function endOf(key: string): 'override-removed' | 'report-ended' | 'deleted' {
  if (key.startsWith('override/')) return 'override-removed';
  return key.startsWith('report/') ? 'report-ended' : 'deleted';
}
