import { SteeredRedis } from '@rollcall/registry-server/testing';

/** One seed in this many runs on Redis, where it takes about ten times as long. */
const EVERY = 10;

/** Environment variable with the Redis URL, for the processes that run seeds. */
export const REDIS_VARIABLE = 'SIMULATION_REDIS';

let steered: SteeredRedis | undefined;

/** Whether a seed runs on Redis. */
export const isOnRedis = (seed: number): boolean => seed % EVERY === 0;

/** The Redis for a seed; undefined = it runs on memory. */
export function redisOf(seed: number): SteeredRedis | undefined {
  const url = process.env[REDIS_VARIABLE];
  if (url === undefined || !isOnRedis(seed)) return undefined;
  return (steered ??= new SteeredRedis(url));
}

export function closeRedis(): void {
  steered?.close();
  steered = undefined;
}
