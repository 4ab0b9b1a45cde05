import { ConfigError } from '@rollcall/daemon';
import type { Clock, Random } from '@rollcall/runtime';
import { DurableFile } from './store/durable/durable-file.ts';
import { FileStore } from './store/durable/file-store.ts';
import { MemoryStore } from './store/memory/memory-store.ts';
import { connectRedis } from './store/redis/connect.ts';
import { keysOf } from './store/redis/keys.ts';
import { RedisStore } from './store/redis/redis-store.ts';
import type { Store } from './store/store.ts';

export interface StoreOptions {
  /** `memory`, `file:PATH`, or the address of a Redis. */
  readonly store: string;
  readonly guardMs: number;
  /** How many log entries are kept. */
  readonly logEntries: number;
  readonly storePartition: number;
  readonly storePrefix: string;
}

export interface StoreRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: { debug(fields: object, message: string): void };
}

/** Opens the configured store. Rejects with a {@link ConfigError} when its file cannot be used. */
export async function openStore(options: StoreOptions, runtime: StoreRuntime): Promise<Store> {
  const { clock, random, logger } = runtime;
  const { store, guardMs, logEntries: logLength } = options;
  const inMemory = () => new MemoryStore({ clock, epoch: random.hex(8), logLength, guardMs });
  if (store === 'memory') return inMemory();
  if (store.startsWith('file:')) {
    const file = new DurableFile(store.slice('file:'.length));
    return FileStore.open(inMemory(), file).catch((error: Error) => {
      throw new ConfigError(`--store ${file.path}: ${error.message}`);
    });
  }
  const connections = connectRedis(store, (error) => {
    logger.debug({ err: error }, 'redis connection');
  });
  return new RedisStore({
    ...connections,
    keys: keysOf(options.storePartition, options.storePrefix),
    makeEpoch: () => random.hex(8),
    logLength,
    guardMs,
  });
}
