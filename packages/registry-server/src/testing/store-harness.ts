import { Redis } from 'ioredis';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { keysOf } from '../store/redis/keys.ts';
import { RedisStore } from '../store/redis/redis-store.ts';
import type { Store } from '../store/store.ts';
import { ManualClock } from '@rollcall/runtime/testing';

/** A store whose clock the test moves. */
export interface StoreHarness {
  readonly store: Store;
  /** Lets the store's clock run by ms, or back by negative ms. */
  advance(ms: number): Promise<void>;
  /** The store loses everything, as after a restart without data. Undefined where that ends the store itself. */
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

/** The clock of the scripts is a key that the test sets. */
const CLOCK_SOURCE = (key: string) => `
local function clock()
  local micros = tonumber(redis.call('GET', '${key}'))
  return math.floor(micros / 1000000), micros % 1000000
end`;

/** A harness on a real Redis; each test has keys of its own. */
export function redisHarness(where: string | (() => Promise<Redis>)): CreateHarness {
  const connect = typeof where === 'string' ? () => Promise.resolve(new Redis(where)) : where;
  return async ({ logLength = 10_000, guardMs } = {}) => {
    const prefix = `test-${process.pid}-${made++}`;
    const clockKey = `${prefix}:{0}:clock`;
    const redis = await connect();
    const reader = await connect();
    const keys = keysOf(0, prefix);
    let nowMs = START_MS;
    const setClock = () => redis.set(clockKey, String(nowMs * 1_000));
    await setClock();
    const store = new RedisStore({
      redis,
      reader,
      keys,
      makeEpoch: () => `${prefix}-${made++}`,
      logLength,
      guardMs,
      clockSource: CLOCK_SOURCE(clockKey),
    });
    const wipe = async () => void (await redis.del(...(Object.values(keys) as string[])));
    return {
      store,
      async advance(ms) {
        nowMs += ms;
        await setClock();
      },
      wipe,
      async close() {
        await wipe();
        await redis.del(clockKey);
        await store.close();
      },
    };
  };
}
