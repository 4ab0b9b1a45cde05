/** Makes a lease id: `<partition>.<ttlMs>.<128 random bits>`. `random` gives 32 hex digits. */
export function makeLeaseId(partition: number, ttlMs: number, random: string): string {
  return `${partition}.${ttlMs}.${random}`;
}

/** The TTL in ms that a lease id carries, so that a renewal needs no look-up. */
export function ttlOfLease(lease: string): number {
  const from = lease.indexOf('.') + 1;
  return Number(lease.slice(from, lease.indexOf('.', from)));
}
