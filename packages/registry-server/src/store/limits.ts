/** How long after its hold broke an instance stays without renewing, in ms. */
export const SUSPECT_MS = 2_000;

/**
 * A pause between sweeps longer than this means that nobody could renew: nothing is evicted for twice as long, or one
 * longest TTL when that is less. Twice, because whoever was refused waits before it tries again. In ms.
 */
export const SWEEP_GAP_MS = 1_000;

/** A pause that comes within one longest TTL and so much of the one before belongs to the same chain, in ms. */
export const GRACE_CHAIN_MS = 10_000;

/** However often sweeps pause, a chain of graces ends after this, in ms. */
export const LONGEST_GRACE_MS = 600_000;

/** How long the guard keeps a mass of silent instances as unreachable, in ms. */
export const DEFAULT_GUARD_MS = 60_000;

/** The guard watches over services of at least this many instances. */
export const GUARD_FLOOR = 5;

/** How many leases one sweep evicts or guards at most, so that the store is never blocked for long. */
export const SWEEP_LIMIT = 1_000;

/** How many due leases one sweep counts to decide about the guard. */
export const SWEEP_COUNT_LIMIT = 10_000;

/** How long a deleted resource is remembered, in ms. */
export const RESOURCE_TOMBSTONE_MS = 86_400_000;

/** The least time a deleted instance is remembered, in ms; the longest TTL granted when that is longer. */
export const INSTANCE_TOMBSTONE_MS = 60_000;

/** How long it is remembered how far a process had come that left an id, in ms: what it sent before may be on its way. */
export const SENT_MS = 600_000;

/** How long it is remembered that a process was displaced, in ms: it may have been stopped for long. */
export const FORMER_MS = 86_400_000;

/** How long `follow` waits for an entry before it proves that there is none, in ms. */
export const FOLLOW_WAIT_MS = 500;
