import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import * as limits from '../limits.ts';
import { forgetArguments } from './forget-arguments.ts';
import { type StoreAddress, storeAddressOf } from './store-address.ts';

/** How long a command may take before the store counts as unavailable, in ms. */
const COMMAND_TIMEOUT_MS = 2_000;

const pauseMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000);

/** Every option of the connections to Redis, with its reason. */
const BASE = {
  lazyConnect: true,
  // A command that cannot be sent now fails now: the caller answers 503 and its client retries.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // A write that was under way when the connection broke may have happened. The caller decides whether to send it
  // again.
  autoResendUnfulfilledCommands: false,
  connectTimeout: COMMAND_TIMEOUT_MS,
  retryStrategy: pauseMs,
} satisfies RedisOptions;

const CLUSTER = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // Redirections find a slot that has moved. A slot without an owner is an error at once.
  maxRedirections: 4,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 0,
  clusterRetryStrategy: pauseMs,
  slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
  // A replica may not have the latest write yet.
  scaleReads: 'master',
} satisfies ClusterOptions;

const UNSENT = /^(Stream isn't writeable|Connection is closed)/;

/** Two connections to one Redis: commands, and the blocking read of the log. */
export interface RedisConnections {
  readonly redis: Redis;
  readonly reader: Redis;
  /** What an error says to people. ioredis says of a command without a connection only what its own options forbid. */
  readonly explain: (error: Error) => string;
}

/** Opens both. They reconnect until they are closed; `onError` gets the reason when they cannot. */
export function connectRedis(url: string, onError: (error: Error) => void): RedisConnections {
  const address = storeAddressOf(url);
  let away = '';
  const onFault = (error: Error) => {
    forgetArguments(error);
    away = error.message;
    onError(error);
  };
  const open = (timeoutMs: number) => {
    const redis = clientOf(address, timeoutMs);
    redis.on('error', onFault);
    redis.on('ready', () => (away = ''));
    // It rejects after the events have told why.
    redis.connect().catch((error: Error) => {
      forgetArguments(error);
      onError(error);
    });
    return redis;
  };
  return {
    redis: open(COMMAND_TIMEOUT_MS),
    reader: open(COMMAND_TIMEOUT_MS + limits.FOLLOW_WAIT_MS),
    explain: ({ message }) => {
      if (!UNSENT.test(message)) return message;
      return `there is no connection${away === '' ? '' : `: ${away}`}`;
    },
  };
}

function clientOf(address: StoreAddress, commandTimeout: number): Redis {
  const { username, password, tls, db } = address;
  const own = {
    ...BASE,
    commandTimeout,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  } satisfies RedisOptions;
  const [first] = address.hosts;
  switch (address.kind) {
    case 'single':
      return new Redis({ ...own, ...first });
    case 'sentinel':
      return new Redis({
        ...own,
        sentinels: [...address.hosts],
        name: address.master,
        sentinelRetryStrategy: pauseMs,
        // A Sentinel may name an old primary: leave a server that has become a replica.
        reconnectOnError: (error: Error) =>
          error.message.startsWith('READONLY') ? (1 as const) : false,
        ...(tls ? { enableTLSForSentinelMode: true } : {}),
      });
    default: {
      const { retryStrategy: _, ...redisOptions } = own;
      // Both have the same commands; a cluster client sends each one to the node that has its keys.
      return new Cluster([...address.hosts], { ...CLUSTER, redisOptions }) as unknown as Redis;
    }
  }
}
