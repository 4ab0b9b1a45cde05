import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { StoreUnavailableError } from '../store.ts';
import { connectRedis } from './connect.ts';
import { keysOf } from './keys.ts';
import { RedisStore } from './redis-store.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** What stands where Redis should, and answers every script with an error; the greetings of a client are answered well. */
async function refusing(says: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const [, name = ''] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        const isInfo = name.toLowerCase() === 'info';
        const isAsked = /^(evalsha|eval|hmget|hscan|xread)$/i.test(name);
        socket.write(isInfo ? '$9\r\nloading:0\r\n' : isAsked ? `-${says}\r\n` : '+OK\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  'BUSY Redis is busy running a script.',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
  'NOREPLICAS Not enough good replicas to write.',
  'CLUSTERDOWN The cluster is down',
  'NOPERM this user has no permissions to run the command',
])(
  'a Redis that says %s is unavailable: nothing else is made of it, and it is asked again',
  async (says) => {
    const connections = connectRedis(await refusing(says), () => {});
    const store = new RedisStore({
      ...connections,
      keys: keysOf(0, 'refused'),
      makeEpoch: () => 'epoch',
      logLength: 100,
    });
    closers.push(() => store.close());
    await until(
      () => connections.redis.status === 'ready' && connections.reader.status === 'ready',
    );
    const error = await store.renew(['0.1000.a'], { floor: 0 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect((error as Error).message).toContain(says.slice(0, says.indexOf(' ')));
    await expect(store.snapshot()).rejects.toBeInstanceOf(StoreUnavailableError);
    await until(() => connections.redis.status === 'ready');
    const again = await store.expire({ floor: 0 }).catch((thrown: unknown) => thrown);
    expect(again).toBeInstanceOf(StoreUnavailableError);
  },
);

test('a Redis that nobody answers for: an error says why, in words of the network', async () => {
  const connections = connectRedis('redis://user:secret@127.0.0.1:1', () => {});
  const store = new RedisStore({
    ...connections,
    keys: keysOf(0, 'away'),
    makeEpoch: () => 'epoch',
    logLength: 100,
  });
  closers.push(() => store.close());
  const failure = async () => (await store.snapshot().catch((error: Error) => error)) as Error;
  await until(async () => (await failure()).message.includes('ECONNREFUSED'));
  expect(await failure()).toBeInstanceOf(StoreUnavailableError);
  expect((await failure()).message).toBe(
    'Redis: there is no connection: connect ECONNREFUSED 127.0.0.1:1',
  );
});
