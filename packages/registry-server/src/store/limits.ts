/** How long an instance stays after its hold broke, if it does not renew, in ms. */
export const SUSPECT_MS = 2_000;

/**
 * After a longer pause between sweeps, leases could not have been renewed: nothing is evicted for twice the pause, or
 * for one longest TTL if that is shorter. Twice, because a refused client waits before it retries. In ms.
 */
export const SWEEP_GAP_MS = 1_000;

/**
 * A pause within one longest TTL plus this time after the previous pause belongs to the same chain of graces, in ms.
 */
export const GRACE_CHAIN_MS = 10_000;

/** Upper bound of a chain of graces, however often sweeps pause, in ms. */
export const LONGEST_GRACE_MS = 600_000;

/** How long the guard keeps instances as unreachable after many of them went silent, in ms. */
export const DEFAULT_GUARD_MS = 60_000;

/** The guard protects services with at least this many instances. */
export const GUARD_FLOOR = 5;

/** One sweep evicts or guards at most this many leases, so that it does not block the store for long. */
export const SWEEP_LIMIT = 1_000;

/** How many due leases one sweep counts for the guard's decision. */
export const SWEEP_COUNT_LIMIT = 10_000;

/** How long the tombstone of a resource is kept, in ms. */
export const RESOURCE_TOMBSTONE_MS = 86_400_000;

/** How long the tombstone of an instance is kept at least, in ms; for the longest TTL granted if that is longer. */
export const INSTANCE_TOMBSTONE_MS = 60_000;

/** How long the last write number of a process that left an id is kept, in ms: older writes may still arrive. */
export const SENT_MS = 600_000;

/**
 * How long the store remembers that a process was displaced, in ms: the process may have been paused for a long time.
 */
export const FORMER_MS = 86_400_000;

/** How long `follow` waits for an entry before it reports that there is none, in ms. */
export const FOLLOW_WAIT_MS = 500;
