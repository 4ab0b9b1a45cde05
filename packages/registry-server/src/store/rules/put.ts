import { type Claim, endOf, type PoolName, type ResourceRecord } from '../record.ts';
import type { ClaimRequest, Pool, PutItem, PutOutcome, PutRequest } from '../store.ts';
import type { Partition } from './partition.ts';

interface At {
  readonly nowMs: number;
  readonly floor: number;
}

/** Writes resources and their claims, all or none; the rules are those of put.lua. */
export function put(partition: Partition, request: PutRequest, nowMs: number): PutOutcome {
  const { items, pools, dryRun = false, floor } = request;
  for (const [index, { key, expected }] of items.entries()) {
    const revision = partition.resources.get(key)?.revision ?? 0;
    if (expected !== undefined && expected !== revision) return { kind: 'changed', index };
  }
  const plan = new ClaimPlan(partition, items, pools);
  const fault = plan.takeCertain(items) ?? plan.takeAny(items);
  if (fault !== undefined) return fault;
  if (!dryRun) plan.commit();
  const resources = items.map((item, i): ResourceRecord => {
    const revision = partition.nextRevision(nowMs, floor);
    const untilMs = item.forMs > 0 ? Math.floor(nowMs) + item.forMs : 0;
    const { key, value } = item;
    const claims = plan.claims[i] as Claim[];
    const resource = Object.freeze({ key, value, revision, untilMs, claims });
    if (!dryRun) {
      partition.resources.set(key, resource);
      partition.tombstones.delete(`r:${key}`);
      partition.append(revision, nowMs, item.why, { op: 'put', resource });
    }
    return resource;
  });
  return { kind: 'put', resources };
}

/** Removes a resource and releases its numbers. */
export function deleteResource(partition: Partition, resource: ResourceRecord, at: At): number {
  const { key } = resource;
  partition.resources.delete(key);
  releaseClaims(partition, resource);
  const revision = partition.nextRevision(at.nowMs, at.floor);
  partition.append(revision, at.nowMs, endOf(key), { op: 'rm', key });
  return revision;
}

/** Releases the numbers that a resource still owns. */
export function releaseClaims(partition: Partition, { key, claims }: ResourceRecord): void {
  for (const { pool, number } of claims) {
    if (partition.pools[pool].get(number) === key) partition.pools[pool].delete(number);
  }
}

/** What the pools would be after a put, and which item gets which number. */
class ClaimPlan {
  /** For each item, in the order of its claims. */
  readonly claims: Claim[][];
  readonly #partition: Partition;
  readonly #pools: Readonly<Record<PoolName, Pool>> | undefined;
  readonly #owners: Record<PoolName, Map<number, string | undefined>> = {
    clusterIps: new Map(),
    nodePorts: new Map(),
  };
  readonly #used: Record<PoolName, number>;
  readonly #cursors: Partial<Record<PoolName, number>> = {};

  constructor(
    partition: Partition,
    items: readonly PutItem[],
    pools: Readonly<Record<PoolName, Pool>> | undefined,
  ) {
    this.#partition = partition;
    this.#pools = pools;
    this.claims = items.map(() => []);
    const { clusterIps, nodePorts } = partition.pools;
    this.#used = { clusterIps: clusterIps.size, nodePorts: nodePorts.size };
    for (const { key } of items) {
      for (const { pool, number } of partition.resources.get(key)?.claims ?? []) {
        if (partition.pools[pool].get(number) !== key) continue;
        this.#owners[pool].set(number, undefined);
        this.#used[pool]--;
      }
    }
  }

  /** Requests of a certain number come first, so that no other request gets it by chance. */
  takeCertain(items: readonly PutItem[]): PutOutcome | undefined {
    return this.#each(items, ({ pool, number }, index, claim) => {
      if (number === undefined) return undefined;
      const key = items[index]?.key ?? '';
      const owner = this.#ownerOf(pool, number);
      if (owner !== undefined && owner !== key) return { kind: 'taken', index, claim, owner };
      if (owner === undefined) this.#take(pool, number, key);
      (this.claims[index] as Claim[])[claim] = { pool, number };
      return undefined;
    });
  }

  takeAny(items: readonly PutItem[]): PutOutcome | undefined {
    return this.#each(items, (request, index, claim) => {
      if (request.number !== undefined) return undefined;
      const number = this.#nextFree(request.pool);
      if (number === undefined) return { kind: 'exhausted', index, claim };
      this.#take(request.pool, number, items[index]?.key ?? '');
      (this.claims[index] as Claim[])[claim] = { pool: request.pool, number };
      return undefined;
    });
  }

  commit(): void {
    const { state } = this.#partition;
    for (const pool of ['clusterIps', 'nodePorts'] as const) {
      for (const [number, owner] of this.#owners[pool]) {
        if (owner === undefined) this.#partition.pools[pool].delete(number);
        else this.#partition.pools[pool].set(number, owner);
      }
      const cursor = this.#cursors[pool];
      if (cursor !== undefined) state.cursors[pool] = cursor;
      const range = this.#pools?.[pool];
      if (range === undefined) continue;
      const isMixed = this.#isMixed(pool, range);
      if (isMixed && !state.mixed.includes(pool)) state.mixed.push(pool);
      state.ranges[pool] = range;
    }
  }

  #each(
    items: readonly PutItem[],
    visit: (request: ClaimRequest, index: number, claim: number) => PutOutcome | undefined,
  ): PutOutcome | undefined {
    for (const [index, { claims = [] }] of items.entries()) {
      for (const [claim, request] of claims.entries()) {
        const fault = visit(request, index, claim);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  #ownerOf(pool: PoolName, number: number): string | undefined {
    const owners = this.#owners[pool];
    return owners.has(number) ? owners.get(number) : this.#partition.pools[pool].get(number);
  }

  #take(pool: PoolName, number: number, key: string): void {
    this.#owners[pool].set(number, key);
    this.#used[pool]++;
  }

  #isMixed(pool: PoolName, { first, last, reserved }: Pool): boolean {
    const { ranges, mixed } = this.#partition.state;
    const known = ranges[pool] ?? { first, last, reserved };
    const isOther = known.first !== first || known.last !== last || known.reserved !== reserved;
    return isOther || mixed.includes(pool);
  }

  /** The next free number after the last one given, so that a released number is not reused at once. */
  #nextFree(pool: PoolName): number | undefined {
    const range = this.#pools?.[pool];
    if (range === undefined) throw new TypeError(`a claim on ${pool} needs its range`);
    const { first, last, reserved } = range;
    // Full, unless some of the used numbers come from another, earlier range.
    const isFull = this.#used[pool] >= last - first + 1;
    if (isFull && !this.#isMixed(pool, range)) return undefined;
    const from = Math.min(first + reserved, last);
    let cursor = this.#cursors[pool] ?? this.#partition.state.cursors[pool] ?? from;
    if (cursor < from || cursor > last) cursor = from;
    let number = cursor;
    do {
      if (this.#ownerOf(pool, number) === undefined) {
        this.#cursors[pool] = number + 1;
        return number;
      }
      number = number === last ? from : number + 1;
    } while (number !== cursor);
    for (let low = first; low < from; low++) {
      if (this.#ownerOf(pool, low) === undefined) return low;
    }
    return undefined;
  }
}
