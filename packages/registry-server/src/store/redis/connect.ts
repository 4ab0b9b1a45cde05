import { Redis, type RedisOptions } from 'ioredis';
import * as limits from '../limits.ts';

/** How long a command may take before the store counts as away, in ms. */
const COMMAND_TIMEOUT_MS = 2_000;

const BASE = {
  lazyConnect: true,
  // A command that cannot be sent now fails now: the caller answers 503 and its client tries again.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // A write that was under way when the connection broke may have happened: sending it again is the caller's choice.
  autoResendUnfulfilledCommands: false,
  connectTimeout: COMMAND_TIMEOUT_MS,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000),
} satisfies RedisOptions;

/** Two connections to one Redis: commands, and the blocking read of the log. */
export interface RedisConnections {
  readonly redis: Redis;
  readonly reader: Redis;
}

/** Opens both. They reconnect for as long as they are not closed; `onError` hears why they cannot. */
export function connectRedis(url: string, onError: (error: Error) => void): RedisConnections {
  const open = (timeoutMs: number) => {
    const redis = new Redis(url, { ...BASE, commandTimeout: timeoutMs });
    redis.on('error', onError);
    redis.connect().catch(onError);
    return redis;
  };
  return {
    redis: open(COMMAND_TIMEOUT_MS),
    reader: open(COMMAND_TIMEOUT_MS + limits.FOLLOW_WAIT_MS),
  };
}
