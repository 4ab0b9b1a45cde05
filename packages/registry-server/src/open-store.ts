import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { ConfigError } from '@rollcall/daemon';
import type { Clock, Random } from '@rollcall/runtime';
import { schemeOf, type StoreContext, type StoreDriver } from './store/driver.ts';
import { DurableFile } from './store/durable/durable-file.ts';
import { FileStore } from './store/durable/file-store.ts';
import { MemoryStore } from './store/memory/memory-store.ts';
import { connectRedis } from './store/redis/connect.ts';
import { keysOf } from './store/redis/keys.ts';
import { RedisStore } from './store/redis/redis-store.ts';
import type { Store } from './store/store.ts';

export interface StoreOptions {
  /** A value of `--store`, or an open store, which the server closes when it ends. */
  readonly store: string | Store;
  /** Module of a custom driver; it wins over the built-in ones. */
  readonly storeDriver?: string | undefined;
  readonly guardMs: number;
  /** How many log entries are kept. */
  readonly logEntries: number;
  readonly storePartition: number;
  readonly storePrefix: string;
}

export interface StoreRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: StoreContext['logger'];
}

const openMemory = ({ clock, random, logLength, guardMs }: StoreContext): MemoryStore =>
  new MemoryStore({ clock, epoch: random.hex(8), logLength, guardMs });

const openFile: StoreDriver = (address, context) => {
  const file = new DurableFile(address.slice('file:'.length));
  return FileStore.open(openMemory(context), file).catch((error: Error) => {
    throw new ConfigError(`--store ${file.path}: ${error.message}`);
  });
};

const openRedis: StoreDriver = (
  address,
  { logger, random, logLength, guardMs, partition, prefix },
) => {
  const connections = connectRedis(address, (error) => {
    logger.debug({ err: error }, 'redis connection');
  });
  const keys = keysOf(partition, prefix);
  return new RedisStore({
    ...connections,
    keys,
    makeEpoch: () => random.hex(8),
    logLength,
    guardMs,
  });
};

/** The built-in drivers, by the scheme of `--store`. */
const DRIVERS: Readonly<Record<string, StoreDriver>> = {
  memory: (_, context) => openMemory(context),
  file: openFile,
  redis: openRedis,
  'redis-sentinel': openRedis,
  'redis-cluster': openRedis,
  rediss: openRedis,
  'rediss-sentinel': openRedis,
  'rediss-cluster': openRedis,
};

/** Opens the configured store. Rejects with a {@link ConfigError} when its file or its driver cannot be used. */
export async function openStore(options: StoreOptions, runtime: StoreRuntime): Promise<Store> {
  const { store, storeDriver, guardMs, logEntries, storePartition, storePrefix } = options;
  if (typeof store !== 'string') return store;
  const driver = storeDriver === undefined ? builtInDriver(store) : await loadDriver(storeDriver);
  if (driver === undefined) throw noDriver(store);
  const share = { partition: storePartition, prefix: storePrefix };
  return driver(store, { ...runtime, ...share, guardMs, logLength: logEntries });
}

const builtInDriver = (store: string): StoreDriver | undefined =>
  hasBuiltInDriver(store) ? DRIVERS[schemeOf(store)] : undefined;

/** Whether a built-in driver opens this value of `--store`. */
export function hasBuiltInDriver(store: string): boolean {
  return Object.hasOwn(DRIVERS, schemeOf(store));
}

/** Names only the scheme, since the rest may contain a password. */
export function noDriver(store: string): ConfigError {
  const builtIn =
    'memory, or file:PATH, or redis://, redis-sentinel:// or redis-cluster:// (rediss for TLS)';
  const scheme = JSON.stringify(schemeOf(store));
  return new ConfigError(
    `--store: expected ${builtIn}, or --store-driver with a module that opens it, got the scheme ${scheme}`,
  );
}

/** A path as seen from the working directory, or the name of a package that is installed there. */
async function loadDriver(name: string): Promise<StoreDriver> {
  const where = pathToFileURL(`${process.cwd()}/`);
  const isPath = /^\.{0,2}\//.test(name);
  let module: { readonly openStore?: unknown };
  try {
    const found = isPath ? resolve(name) : createRequire(where).resolve(name);
    module = (await import(pathToFileURL(found).href)) as typeof module;
  } catch (error) {
    throw new ConfigError(`--store-driver ${name}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof module.openStore === 'function') return module.openStore as StoreDriver;
  throw new ConfigError(
    `--store-driver ${name}: expected a module that exports the function openStore, got ${Object.keys(module).join(', ') || 'no exports'}`,
  );
}
