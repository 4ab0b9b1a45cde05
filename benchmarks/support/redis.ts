import { once } from 'node:events';
import { connect } from 'node:net';
import { findRedisBinary, RedisProcess } from '@rollcall/testkit';

/** A throw-away Redis and its process id, so that its processor time can be read. */
export interface RedisPeer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  close(): Promise<void>;
}

/** Starts one on this process's core; `isDurable` syncs an append-only file at each write. Undefined: none here. */
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
