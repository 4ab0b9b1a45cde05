import type { Redis } from 'ioredis';
import { type StoreSnapshot, StoreUnavailableError, type Tombstone } from '../store.ts';
import { decodeRecord, decodeResource, faultOf, unreadableKeyOf } from './codec.ts';
import type { PartitionKeys } from './keys.ts';

const SCAN = 1_000;

/** The last revision. Throws if the store has something else there: then nothing in it has a position. */
export function revisionOf(last: string | null | undefined): number {
  const revision = Number(last ?? 0);
  if (Number.isSafeInteger(revision) && revision >= 0) return revision;
  throw new StoreUnavailableError('Redis: meta.last is no revision');
}

/** Adds the key to a WRONGTYPE error, which Redis does not do. */
async function readFrom<T>(key: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) {
      error.message = `${key}: ${error.message}`;
    }
    throw error;
  }
}

/** Reads a hash in steps, so that a large one does not block other commands. A change meanwhile is read old or new. */
async function* scanHash(redis: Redis, key: string): AsyncGenerator<[string, string]> {
  let cursor = '0';
  do {
    const [next, flat] = await readFrom(key, redis.hscan(key, cursor, 'COUNT', SCAN));
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] as string, flat[i + 1] as string];
    cursor = next;
  } while (cursor !== '0');
}

async function readTombstones(redis: Redis, keys: PartitionKeys): Promise<Tombstone[]> {
  const tombstones: Tombstone[] = [];
  // Sent with a key: in a cluster each node has its own clock.
  const time = "return redis.call('TIME')";
  const [seconds] = (await redis.eval(time, 1, keys.tombstoneExpiries)) as [string, string];
  const nowMs = Number(seconds) * 1_000;
  const until = new Map<string, number>();
  const dated = redis.zrange(keys.tombstoneExpiries, 0, '-1', 'WITHSCORES');
  const expiries = await readFrom(keys.tombstoneExpiries, dated);
  for (let i = 0; i < expiries.length; i += 2)
    until.set(expiries[i] as string, Number(expiries[i + 1]));
  for await (const [member, revision] of scanHash(redis, keys.tombstones)) {
    // Only the store itself uses the other kinds.
    if (!/^[ixr]:/.test(member)) continue;
    const forMs = Math.max(0, (until.get(member) ?? nowMs) - nowMs);
    // A tombstone without a revision has no effect.
    if (/^\d{1,16}$/.test(revision)) tombstones.push({ member, revision: Number(revision), forMs });
  }
  return tombstones;
}

/**
 * A picture of the whole partition. It is correct at `upTo` once the log from `head` to there has been applied to it.
 * An unreadable record makes only its own instance missing, not the whole roll on every server.
 */
export async function readSnapshot(redis: Redis, keys: PartitionKeys): Promise<StoreSnapshot> {
  const [epoch, last, digest] = await readFrom(
    keys.meta,
    redis.hmget(keys.meta, 'epoch', 'last', 'digest'),
  );
  const unreadable = new Map<string, string>();
  const instances = new Map<string, ReturnType<typeof decodeRecord>>();
  for await (const [key, text] of scanHash(redis, keys.instances)) {
    // A scan may return a key twice, and in between the record may have been repaired or damaged.
    unreadable.delete(unreadableKeyOf(key));
    try {
      instances.set(key, decodeRecord(key, text));
    } catch (error) {
      instances.delete(key);
      unreadable.set(unreadableKeyOf(key), faultOf(error));
    }
  }
  const resources = new Map<string, ReturnType<typeof decodeResource>>();
  for await (const [key, text] of scanHash(redis, keys.resources)) {
    unreadable.delete(key);
    try {
      resources.set(key, decodeResource(key, text));
    } catch (error) {
      resources.delete(key);
      unreadable.set(key, faultOf(error));
    }
  }
  const tombstones = await readTombstones(redis, keys);
  const upTo = revisionOf(await redis.hget(keys.meta, 'last'));
  const ended = await redis.hget(keys.meta, 'epoch');
  // The store was emptied or replaced during the read, so the data comes from two stores.
  if (ended !== epoch)
    throw new StoreUnavailableError('Redis: another epoch began in the meantime');
  return {
    head: { epoch: epoch ?? '', revision: revisionOf(last), digest: digest ?? '' },
    upTo,
    unreadable,
    instances: [...instances.values()],
    resources: [...resources.values()],
    tombstones,
  };
}
