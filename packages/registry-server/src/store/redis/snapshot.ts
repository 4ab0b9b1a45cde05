import type { Redis } from 'ioredis';
import type { StoreSnapshot, Tombstone } from '../store.ts';
import { decodeRecord, decodeResource } from './codec.ts';
import type { PartitionKeys } from './keys.ts';

const SCAN = 1_000;

/** Told of a record that this version cannot read: it is left out. `field` is the instance's. */
export type OnUnreadable = (field: string, error: Error) => void;

/** Reads a hash in steps, so that a large one does not block the others; what changes meanwhile is read old or new. */
async function* scanHash(redis: Redis, key: string): AsyncGenerator<[string, string]> {
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(key, cursor, 'COUNT', SCAN);
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] as string, flat[i + 1] as string];
    cursor = next;
  } while (cursor !== '0');
}

async function readTombstones(redis: Redis, keys: PartitionKeys): Promise<Tombstone[]> {
  const tombstones: Tombstone[] = [];
  // Asked by way of a key: in a cluster each node has a clock of its own.
  const time = "return redis.call('TIME')";
  const [seconds] = (await redis.eval(time, 1, keys.graves)) as [string, string];
  const nowMs = Number(seconds) * 1_000;
  const until = new Map<string, number>();
  const graves = await redis.zrange(keys.graves, 0, '-1', 'WITHSCORES');
  for (let i = 0; i < graves.length; i += 2) until.set(graves[i] as string, Number(graves[i + 1]));
  for await (const [member, revision] of scanHash(redis, keys.tombstones)) {
    if (member.startsWith('l:')) continue;
    const forMs = Math.max(0, (until.get(member) ?? nowMs) - nowMs);
    tombstones.push({ member, revision: Number(revision), forMs });
  }
  return tombstones;
}

/**
 * A picture of the whole partition, true at `upTo` once the log from `head` to there has been read over it. One record
 * that cannot be read costs that instance alone, not every server the whole roll.
 */
export async function readSnapshot(
  redis: Redis,
  keys: PartitionKeys,
  onUnreadable: OnUnreadable,
): Promise<StoreSnapshot> {
  const [epoch, last, mark] = await redis.hmget(keys.meta, 'epoch', 'last', 'mark');
  const instances = new Map<string, ReturnType<typeof decodeRecord>>();
  for await (const [field, text] of scanHash(redis, keys.instances)) {
    try {
      instances.set(field, decodeRecord(field, text));
    } catch (error) {
      // A scan may give a field twice, and it may have been mended in between, or spoilt.
      instances.delete(field);
      onUnreadable(field, error as Error);
    }
  }
  const resources = new Map<string, ReturnType<typeof decodeResource>>();
  for await (const [key, text] of scanHash(redis, keys.resources)) {
    resources.set(key, decodeResource(key, text));
  }
  const tombstones = await readTombstones(redis, keys);
  const upTo = Number((await redis.hget(keys.meta, 'last')) ?? 0);
  return {
    head: { epoch: epoch ?? '', revision: Number(last ?? 0), mark: mark ?? '' },
    upTo,
    instances: [...instances.values()],
    resources: [...resources.values()],
    tombstones,
  };
}
