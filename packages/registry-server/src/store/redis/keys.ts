/** The keys of one partition. They share a hash tag, so a Redis Cluster keeps them in one slot. */
export interface PartitionKeys {
  /** HASH key of an instance -> record. */
  readonly instances: string;
  /** HASH lease -> key of its instance. */
  readonly holders: string;
  /** ZSET lease -> deadline, Unix ms. */
  readonly leases: string;
  /** HASH key -> resource. */
  readonly resources: string;
  /**
   * HASH `i:<instanceKey>` | `x:<lease>` | `r:<key>` -> revision of the deletion; `l:<lease>` -> key of its instance.
   */
  readonly tombstones: string;
  /** ZSET tombstone -> Unix ms at which it is dropped. */
  readonly tombstoneExpiries: string;
  /** STREAM `<revision>-0` -> prev, before, digest, at, op, key, value, why. */
  readonly log: string;
  /** HASH epoch, last, digest, longestTtl, lastSweepAt, graceStart, graceUntil, lastGapAt. */
  readonly meta: string;
  /** SET of leases in doubt. */
  readonly doubts: string;
  /** HASH lease -> number of its current hold. */
  readonly holds: string;
  /** HASH service -> number of its instances on the roll. */
  readonly counts: string;
  /** HASH service -> the guard's window. */
  readonly guards: string;
  /** ZSET resource -> Unix ms at which it ends. */
  readonly expiries: string;
  /** HASH IPv4 address as an integer -> resource that owns it. */
  readonly clusterIps: string;
  /** HASH port -> resource that owns it. */
  readonly nodePorts: string;
}

/** The only place that spells the keys of a partition. */
export function keysOf(partition: number, prefix = 'rollcall'): PartitionKeys {
  const key = (name: string) => `${prefix}:{${partition}}:${name}`;
  return {
    instances: key('instances'),
    holders: key('holders'),
    leases: key('leases'),
    resources: key('resources'),
    tombstones: key('tombstones'),
    tombstoneExpiries: key('tombstone-expiries'),
    log: key('log'),
    meta: key('meta'),
    doubts: key('doubts'),
    holds: key('holds'),
    counts: key('counts'),
    guards: key('guards'),
    expiries: key('expiries'),
    clusterIps: key('clusterIps'),
    nodePorts: key('nodePorts'),
  };
}
