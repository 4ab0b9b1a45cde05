import { Redis } from 'ioredis';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { keysOf } from '../store/redis/keys.ts';
import { RedisStore } from '../store/redis/redis-store.ts';
import type { Store } from '../store/store.ts';
import { ManualClock } from '@rollcall/runtime/testing';

/** A store whose clock the test controls. */
export interface StoreHarness {
  readonly store: Store;
  /** Moves the store's clock by ms; negative ms move it back. */
  advance(ms: number): Promise<void>;
  /** Makes the store lose everything, as after a restart without data. Undefined if that would end the store itself. */
  readonly wipe?: () => Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly logLength?: number;
  readonly guardMs?: number;
}

/** Makes a fresh store for one test. */
export type CreateHarness = (options?: HarnessOptions) => Promise<StoreHarness>;

const START_MS = 1_800_000_000_000;
let made = 0;

export const memoryHarness: CreateHarness = async ({ logLength = 10_000, guardMs } = {}) => {
  const clock = new ManualClock(START_MS);
  const store = new MemoryStore({ clock, epoch: `memory-${made++}`, logLength, guardMs });
  return {
    store,
    async advance(ms) {
      if (ms >= 0) clock.advance(ms);
      else clock.step(ms);
    },
    close: () => store.close(),
  };
};

/**
 * The scripts read their clock and process id from two keys that the test sets. Their names come from those of the
 * partition: the text of a script is the same for every store, as it must be, since stores share a connection and a
 * connection has one script of a name.
 */
const CLOCK_SOURCE = `
local function clock()
  local micros = tonumber(redis.call('GET', KEY.meta .. ':clock'))
  return math.floor(micros / 1000000), micros % 1000000
end
local function runId() return redis.call('GET', KEY.meta .. ':run') or nil end`;

export interface SteeredStoreOptions {
  /** For commands; `reader` is for reading the log. */
  readonly redis: Redis;
  readonly reader: Redis;
  /** Must be different for each store. */
  readonly prefix: string;
  readonly makeEpoch: () => string;
  readonly logLength: number;
  readonly guardMs?: number | undefined;
  readonly followWaitMs?: number;
}

/** A store on a real Redis whose time and process id the caller controls. */
export class SteeredRedisStore {
  readonly store: RedisStore;
  readonly #redis: Redis;
  readonly #keys: readonly string[];
  readonly #clockKey: string;
  readonly #runKey: string;

  constructor({ prefix, ...options }: SteeredStoreOptions) {
    this.#redis = options.redis;
    const keys = keysOf(0, prefix);
    this.#clockKey = `${keys.meta}:clock`;
    this.#runKey = `${keys.meta}:run`;
    this.#keys = Object.values(keys) as string[];
    this.store = new RedisStore({ ...options, keys, clockSource: CLOCK_SOURCE });
  }

  /** Applies to later commands. Need not be awaited, since the commands of one connection keep their order. */
  async steer(nowMs: number, runId: string): Promise<void> {
    const micros = String(Math.round(nowMs * 1_000));
    await this.#redis.mset(this.#clockKey, micros, this.#runKey, runId);
  }

  /** Deletes the data of the store. */
  async wipe(): Promise<void> {
    await this.#redis.del(...this.#keys);
  }

  /** Deletes everything. The connections stay open. */
  async clear(): Promise<void> {
    await this.#redis.del(...this.#keys, this.#clockKey, this.#runKey);
  }
}

/** Makes many such stores over two connections, so that another store costs nothing. */
export class SteeredRedis {
  readonly #redis: Redis;
  readonly #reader: Redis;
  #made = 0;

  constructor(url: string) {
    this.#redis = new Redis(url);
    this.#reader = new Redis(url);
  }

  open(options: Omit<SteeredStoreOptions, 'redis' | 'reader' | 'prefix'>): SteeredRedisStore {
    const prefix = `steered-${process.pid}-${this.#made++}`;
    const [redis, reader] = [this.#redis, this.#reader];
    return new SteeredRedisStore({ ...options, redis, reader, prefix });
  }

  close(): void {
    this.#redis.disconnect();
    this.#reader.disconnect();
  }
}

/** A harness on a real Redis; each test has its own keys. */
export function redisHarness(where: string | (() => Promise<Redis>)): CreateHarness {
  const connect = typeof where === 'string' ? () => Promise.resolve(new Redis(where)) : where;
  return async ({ logLength = 10_000, guardMs } = {}) => {
    const prefix = `test-${process.pid}-${made++}`;
    const [redis, reader] = [await connect(), await connect()];
    const makeEpoch = () => `${prefix}-${made++}`;
    const steered = new SteeredRedisStore({ redis, reader, prefix, makeEpoch, logLength, guardMs });
    let nowMs = START_MS;
    await steered.steer(nowMs, prefix);
    return {
      store: steered.store,
      async advance(ms) {
        nowMs += ms;
        await steered.steer(nowMs, prefix);
      },
      wipe: () => steered.wipe(),
      async close() {
        await steered.clear();
        await steered.store.close();
      },
    };
  };
}
