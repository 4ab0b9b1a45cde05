import type { Claim, PoolName, ResourceRecord } from '../record.ts';
import type { Partition } from './partition.ts';

type Owners = Record<PoolName, Map<number, string>>;

/** Gives every number one owner again after pictures were restored; the rules are those of settle.lua. */
export function settle(partition: Partition, at: { nowMs: number; floor: number }): void {
  const holders = [...partition.resources.values()]
    .filter(({ claims }) => claims.length > 0)
    .toSorted((a, b) => a.revision - b.revision || (a.key < b.key ? -1 : 1));
  const owners: Owners = { clusterIps: new Map(), nodePorts: new Map() };
  const losers: ResourceRecord[] = [];
  for (const holder of holders) {
    for (const { pool, number } of holder.claims) {
      if (!owners[pool].has(number)) owners[pool].set(number, holder.key);
    }
    const isOwn = ({ pool, number }: Claim) => owners[pool].get(number) === holder.key;
    if (!holder.claims.every(isOwn)) losers.push(holder);
  }
  for (const loser of losers) {
    const claims = claimsAnew(partition, owners, loser);
    const revision = partition.nextRevision(at.nowMs, at.floor);
    const resource = Object.freeze({ ...loser, revision, claims });
    partition.resources.set(loser.key, resource);
    partition.append(revision, at.nowMs, 'restored', { op: 'put', resource });
  }
  for (const pool of ['clusterIps', 'nodePorts'] as const) {
    partition.pools[pool].clear();
    for (const [number, owner] of owners[pool]) partition.pools[pool].set(number, owner);
  }
  // The offering replica has shown revisions that are lost: whatever it shows from now on must be newer.
  if (partition.state.last > at.floor) return;
  partition.append(partition.nextRevision(at.nowMs, at.floor), at.nowMs, 'restored', {
    op: 'bump',
  });
}

/** Two claims of the same number stay equal. If no number is free, the resource keeps the one that it shares. */
function claimsAnew(
  partition: Partition,
  owners: Owners,
  { key, claims }: ResourceRecord,
): Claim[] {
  const given = new Map<string, number>();
  return claims.map(({ pool, number }) => {
    if (owners[pool].get(number) === key) return { pool, number };
    const mine = given.get(`${pool}${number}`) ?? freeOf(partition, owners, pool) ?? number;
    given.set(`${pool}${number}`, mine);
    if (mine !== number) owners[pool].set(mine, key);
    return { pool, number: mine };
  });
}

function freeOf(partition: Partition, owners: Owners, pool: PoolName): number | undefined {
  const range = partition.state.ranges[pool];
  if (range === undefined) return undefined;
  const { first, last } = range;
  const from = Math.min(first + range.reserved, last);
  for (let number = from; number <= last; number++) if (!owners[pool].has(number)) return number;
  for (let number = first; number < from; number++) if (!owners[pool].has(number)) return number;
  return undefined;
}
