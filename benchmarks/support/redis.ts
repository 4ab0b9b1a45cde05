import { once } from 'node:events';
import { connect } from 'node:net';
import { findRedisBinary, RedisProcess } from '@rollcall/testkit';

/** A temporary Redis and its process id, to read its processor time. */
export interface RedisPeer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  close(): Promise<void>;
}

/**
 * Starts a Redis on this process's core; `isDurable` syncs an append-only file at each write. Undefined: not installed.
 */
export async function startRedis({ isDurable = false } = {}): Promise<RedisPeer | undefined> {
  const binary = await findRedisBinary();
  if (binary === undefined) return undefined;
  const redis = await RedisProcess.start(binary, { isDurable });
  const info = await infoOf(redis.port);
  return {
    url: redis.url,
    pid: Number(/process_id:(\d+)/.exec(info)?.[1]),
    version: `Redis ${/redis_version:(\S+)/.exec(info)?.[1]}`,
    close: () => redis.close(),
  };
}

async function infoOf(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write('INFO server\r\n');
  let text = '';
  while (!text.includes('process_id:')) text += String((await once(socket, 'data'))[0]);
  socket.destroy();
  return text;
}
