import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRedisBinary, freePort, RedisProcess, until } from '@rollcall/testkit';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

let redis: RedisProcess;
let servers: RegistryServer[] = [];
let readers: StreamReader[] = [];

beforeEach(async () => {
  const binary = await findRedisBinary();
  if (binary === undefined) throw new Error('no redis-server on this machine');
  redis = await RedisProcess.start(binary, { isDurable: true });
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  readers = [];
  await redis.close();
});

async function start(...flags: string[]): Promise<RegistryServer> {
  const server = await startTestServer('--store', redis.url, ...flags);
  servers.push(server);
  await until(async () => (await status(server, '/readyz?for=writes')) === 200);
  return server;
}

const status = async (server: RegistryServer, path: string) =>
  (await fetch(`${server.url}${path}`)).status;
const pathOf = (server: RegistryServer, id: string) =>
  `${server.url}/v1/namespaces/default/services/orders/instances/${id}`;

async function register(server: RegistryServer, id: string, over: Record<string, unknown> = {}) {
  const response = await fetch(pathOf(server, id), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ports: { http: 1 }, nonce: `process-${id}`, ...over }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { lease: { id: string }; code?: string; revision: string },
  };
}

const renew = async (server: RegistryServer, lease: string) =>
  (await fetch(`${server.url}/v1/leases/${lease}`, { method: 'PUT' })).status;

async function rollOf(server: RegistryServer): Promise<string[]> {
  const response = await fetch(`${server.url}/v1/namespaces/default/services/orders/endpoints`);
  if (response.status !== 200) return [];
  const { endpoints } = (await response.json()) as {
    endpoints: { instance: string; state: string }[];
  };
  return endpoints.map(({ instance, state }) => `${instance} ${state}`);
}

describe('two servers on one store', () => {
  test('what is written at one is read at the other, by revision at once', async () => {
    const [one, two] = [await start(), await start()];
    const { body } = await register(one, 'a');
    const response = await fetch(
      `${two.url}/v1/namespaces/default/services/orders/endpoints?since=${body.revision}`,
    );
    expect(response.status).toBe(200);
    expect(await rollOf(two)).toEqual(['a up']);
    expect(await renew(two, body.lease.id)).toBe(204);
  });

  test('a hold at one, the close of an older one at the other', async () => {
    const [one, two] = [await start(), await start()];
    const { body } = await register(one, 'a');
    const first = await StreamReader.open(`${one.url}/v1/leases/hold?lease=${body.lease.id}`);
    await until(() => first.of('held').length === 1);
    const second = await StreamReader.open(`${two.url}/v1/leases/hold?lease=${body.lease.id}`);
    readers.push(second);
    await until(() => second.of('held').length === 1);
    first.close();
    await register(one, 'b');
    await until(async () => (await rollOf(one)).length === 2 && (await rollOf(two)).length === 2);
    expect(await rollOf(one)).toEqual(['a up', 'b up']);
  });
});

describe('the store', () => {
  test('unreachable at start: it says so, keeps trying, and is not ready until then', async () => {
    const port = await freePort();
    const server = await startTestServer('--store', `redis://127.0.0.1:${port}`);
    servers.push(server);
    expect(await status(server, '/livez')).toBe(200);
    expect(await status(server, '/readyz')).toBe(503);
    const read = await fetch(`${server.url}/v1/namespaces/default/services`);
    expect(read.status).toBe(503);
    expect(await read.json()).toMatchObject({ code: 'replica_cold', retryable: true });
    const write = await register(server, 'a');
    expect(write).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect(write.headers.get('retry-after')).toBe('1');
  });

  test('lost: reads and watches go on, writes say 503, nothing is evicted; back with its data, all is as before', async () => {
    const server = await start();
    const { body } = await register(server, 'a', { ttlMs: 1_000 });
    const watch = await StreamReader.open(`${server.url}/v1/watch?service=orders`);
    readers.push(watch);
    await redis.down();
    await until(async () => (await status(server, '/readyz?for=writes')) === 503);
    expect(await status(server, '/readyz')).toBe(200);
    expect(await register(server, 'b')).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
    });
    expect(await renew(server, body.lease.id)).toBe(503);
    // Well beyond the TTL: the wait is for the age that the server itself shows, not for a time of ours.
    await until(async () => {
      const { storeAgeMs } = (await (await fetch(`${server.url}/readyz`)).json()) as {
        storeAgeMs: number;
      };
      return storeAgeMs > 6_000;
    });
    expect(await rollOf(server)).toEqual(['a up']);
    await redis.up();
    await until(async () => (await renew(server, body.lease.id)) === 204);
    await until(async () => (await rollOf(server)).includes('a up'));
    // At most asked for a sign of life meanwhile, and never missing.
    expect(watch.of('change').flatMap(({ removes }) => removes)).toEqual([]);
    expect(watch.isOver).toBe(false);
  }, 60_000);

  test('G5: back without its data, the pictures of the servers give it back; the deregistered stay away', async () => {
    const [one, two] = [await start(), await start()];
    const { body } = await register(one, 'a');
    await register(one, 'gone');
    await register(two, 'b');
    await until(async () => (await rollOf(two)).length === 3);
    await fetch(pathOf(two, 'gone'), { method: 'DELETE' });
    await until(async () => (await rollOf(one)).length === 2 && (await rollOf(two)).length === 2);
    const watch = await StreamReader.open(`${two.url}/v1/watch?service=orders`);
    readers.push(watch);
    await redis.down({ losesData: true });
    await until(async () => (await status(one, '/readyz?for=writes')) === 503);
    await redis.up();
    await until(
      async () =>
        (await rollOf(one)).includes('a unconfirmed') &&
        (await rollOf(two)).includes('a unconfirmed'),
    );
    expect(await rollOf(one)).toEqual(['a unconfirmed', 'b unconfirmed']);
    expect(await renew(one, body.lease.id)).toBe(204);
    await until(async () => (await rollOf(two)).includes('a up'));
    expect(watch.of('change').flatMap((change) => change['removes'])).toEqual([]);
  }, 60_000);

  test('emptied while running (FLUSHALL): given back within a second or two', async () => {
    const server = await start();
    const { body } = await register(server, 'a');
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    await until(async () => (await renew(server, body.lease.id)) === 204);
    await until(async () => (await rollOf(server)).includes('a up'));
  });

  test('refusing writes (OOM, READONLY): 503 and not a fault of ours', async () => {
    const server = await start();
    const { body } = await register(server, 'a');
    const admin = new Redis(redis.url);
    await admin.config('SET', 'maxmemory', '1');
    expect(await register(server, 'b')).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
    });
    await admin.config('SET', 'maxmemory', '0');
    await until(async () => (await renew(server, body.lease.id)) === 204);
    await admin.replicaof('127.0.0.1', '1');
    await until(async () => (await register(server, 'b')).status === 503);
    await admin.replicaof('NO', 'ONE');
    await until(async () => (await register(server, 'b')).status === 200);
    admin.disconnect();
  });

  test('G5: what is taken off right after the loss does not come back', async () => {
    const server = await start();
    await register(server, 'a');
    await register(server, 'b');
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    expect((await fetch(pathOf(server, 'a'), { method: 'DELETE' })).status).toBe(404);
    await until(async () => (await rollOf(server)).join() === 'b unconfirmed');
  });

  test('G2: a hold from before the loss still tells of its instance’s death', async () => {
    const server = await start();
    const { body } = await register(server, 'a');
    const hold = await StreamReader.open(`${server.url}/v1/leases/hold?lease=${body.lease.id}`);
    await until(() => hold.of('held').length === 1);
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    // Its new number confirms the instance.
    const events = `${server.url}/v1/events?service=orders`;
    await until(async () => (await (await fetch(events)).text()).includes('"recovered"'));
    expect(await rollOf(server)).toEqual(['a up']);
    hold.close();
    await until(async () => (await rollOf(server)).join() === 'a suspect', { withinMs: 1_500 });
  });

  test('a watch that comes from before the loss is not resumed on an empty store', async () => {
    const first = await start();
    const { body } = await register(first, 'a');
    await first.close();
    await redis.down({ losesData: true });
    await redis.up();
    const second = await start();
    await register(second, 'b');
    const url = `${second.url}/v1/watch?service=orders&since=${body.revision}`;
    const watch = await StreamReader.open(url);
    readers.push(watch);
    await until(() => watch.of('bookmark').length > 0);
    expect(watch.events.map(({ event }) => event)).toEqual(['compacted', 'snapshot', 'bookmark']);
  });

  test('hung (SIGSTOP): the server notices, and goes on when it does', async () => {
    const server = await start();
    const { body } = await register(server, 'a');
    redis.signal('SIGSTOP');
    await until(async () => (await renew(server, body.lease.id)) === 503);
    expect(await rollOf(server)).toEqual(['a up']);
    redis.signal('SIGCONT');
    await until(async () => (await renew(server, body.lease.id)) === 204);
    expect(await rollOf(server)).toEqual(['a up']);
  }, 60_000);
});

describe('a store that refuses to write', () => {
  const isWritable = async (server: RegistryServer) =>
    (await status(server, '/readyz?for=writes')) === 200;

  test.each<[string, readonly (readonly string[])[], readonly (readonly string[])[]]>([
    [
      'for want of rights',
      [['ACL', 'SETUSER', 'default', '-@write']],
      [['ACL', 'SETUSER', 'default', '+@all']],
    ],
    [
      'for a key of another type',
      [
        ['DEL', 'rollcall:{0}:doubts', 'rollcall:{0}:tombstone-expiries'],
        ['SET', 'rollcall:{0}:doubts', 'x'],
        ['SET', 'rollcall:{0}:tombstone-expiries', 'x'],
      ],
      [['DEL', 'rollcall:{0}:doubts', 'rollcall:{0}:tombstone-expiries']],
    ],
  ])(
    'G7: %s: writes say 503, reads go on, no loop ends the server, and it is as before afterwards',
    async (_name, spoil, mend) => {
      const server = await start();
      const { body } = await register(server, 'a');
      await until(async () => (await rollOf(server)).length === 1);
      for (const words of spoil) await redis.command(...words);
      await until(async () => !(await isWritable(server)));
      expect(await register(server, 'b')).toMatchObject({
        status: 503,
        body: { code: 'store_unavailable' },
      });
      expect(await renew(server, body.lease.id)).toBe(503);
      expect(await rollOf(server)).toEqual(['a up']);
      expect(await status(server, '/readyz')).toBe(200);
      for (const words of mend) await redis.command(...words);
      await until(() => isWritable(server));
      expect(await register(server, 'b')).toMatchObject({ status: 200 });
      expect(await renew(server, body.lease.id)).toBe(204);
      await until(async () => (await rollOf(server)).length === 2);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).not.toMatch(/^rollcall_internal_faults_total\{/m);
    },
  );
});

describe('a server that starts on a store that refuses to write', () => {
  const LEASES = 'rollcall:{0}:leases';
  test.each<[string, readonly (readonly string[])[], readonly (readonly string[])[]]>([
    [
      'for want of rights',
      [['ACL', 'SETUSER', 'default', '-@write']],
      [['ACL', 'SETUSER', 'default', '+@all']],
    ],
    [
      'for a key of another type',
      [
        ['RENAME', LEASES, 'aside'],
        ['SET', LEASES, 'x'],
      ],
      [['RENAME', 'aside', LEASES]],
    ],
  ])(
    '%s: serves the roll, with everybody doubted whom only that store vouches for, until it can sweep',
    async (_, spoil, mend) => {
      const first = await start();
      const { body } = await register(first, 'a');
      await register(first, 'persistent', {
        persistent: true,
        nonce: undefined,
        check: { type: 'tcp', intervalMs: 300_000 },
      });
      await first.close();
      for (const words of spoil) await redis.command(...words);
      const late = await startTestServer('--store', redis.url);
      servers.push(late);
      await until(async () => (await rollOf(late)).join() === 'a unconfirmed,persistent starting');
      expect(await status(late, '/readyz')).toBe(200);
      expect(await status(late, '/readyz?for=writes')).toBe(503);
      for (const words of mend) await redis.command(...words);
      await until(async () => (await renew(late, body.lease.id)) === 204);
      await until(async () => (await rollOf(late)).join() === 'a up,persistent starting');
      await until(async () => (await status(late, '/readyz?for=writes')) === 200);
    },
  );
});

/** Rolls of every moment until it is stopped: what was shown, however shortly. */
function observe(server: RegistryServer) {
  const seen = new Set<string>();
  const over = new AbortController();
  const ended = (async () => {
    while (!over.signal.aborted) seen.add((await rollOf(server)).join(', '));
  })();
  return async () => {
    over.abort();
    await ended;
    return [...seen];
  };
}

describe('G5: a store that forgets again while it is given back what it forgot', () => {
  test('wiped again and again in the middle of it: nobody is ever missing', async () => {
    const server = await start();
    const ids = ['a', 'b', 'c', 'd'];
    const leases = new Map<string, string>();
    for (const id of ids) leases.set(id, (await register(server, id)).body.lease.id);
    await until(async () => (await rollOf(server)).length === ids.length);
    const seen = observe(server);
    for (let wipes = 0; wipes < 60; wipes++) await redis.command('FLUSHALL');
    await until(async () => {
      for (const lease of leases.values()) await renew(server, lease);
      const roll = await rollOf(server);
      return roll.length === ids.length && roll.every((one) => one.endsWith(' up'));
    });
    const rolls = await seen();
    expect(rolls.filter((roll) => roll.split(', ').length < ids.length)).toEqual([]);
  }, 60_000);
});

describe('G2, G5: a store that comes back with an older dump', () => {
  async function withDump(forget: (server: RegistryServer) => Promise<void>) {
    const server = await start();
    const gone = (await register(server, 'gone', { ttlMs: 2_000 })).body.lease.id;
    const stays = (await register(server, 'stays', { ttlMs: 5_000 })).body.lease.id;
    await register(server, 'persistent', {
      persistent: true,
      nonce: undefined,
      check: { type: 'tcp', intervalMs: 300_000 },
    });
    expect(await renew(server, gone)).toBe(204);
    await register(server, 'left', { ttlMs: 4_000 });
    await redis.command('SAVE');
    await fetch(pathOf(server, 'left'), { method: 'DELETE' });
    await forget(server);
    const late = (await register(server, 'late', { ttlMs: 5_000 })).body.lease.id;
    const watching = await watch(server);
    await until(() => watching.events.at(-1)?.event === 'bookmark');
    return { server, stays, late, position: watching.events.at(-1)?.id ?? '' };
  }
  async function watch(server: RegistryServer, headers: Record<string, string> = {}) {
    const reader = await StreamReader.open(`${server.url}/v1/watch?service=orders`, headers);
    readers.push(reader);
    return reader;
  }
  const isUp = (id: string) => (roll: readonly string[]) => roll.includes(`${id} up`);

  test.each(['goes on', 'starts anew'])(
    'nobody is up on its word alone, and whoever is dead is gone within its TTL; the server %s',
    async (what) => {
      await redis.close();
      const binary = await findRedisBinary();
      if (binary === undefined) throw new Error('no redis-server on this machine');
      redis = await RedisProcess.start(binary);
      const { server, stays, late, position } = await withDump(async (own) => {
        await until(async () => !(await rollOf(own)).some((one) => one.startsWith('gone')), {
          withinMs: 10_000,
        });
      });
      await redis.down();
      if (what === 'starts anew') await server.close();
      await redis.up();
      const after = what === 'starts anew' ? await start('--warm-up-ms=2000') : server;
      await until(async () => (await status(after, '/readyz?for=writes')) === 200);
      const seen: string[][] = [];
      await until(async () => {
        const roll = await rollOf(after);
        seen.push(roll);
        return roll.includes('gone unconfirmed');
      });
      expect(seen.some(isUp('gone'))).toBe(false);
      if (what === 'starts anew') {
        const reply = await fetch(
          `${after.url}/v1/namespaces/default/services/new-since/endpoints`,
        );
        expect(((await reply.json()) as { code: string }).code).toBe('warming_up');
      }
      await until(async () => {
        await renew(after, stays);
        if (what === 'goes on') await renew(after, late);
        const roll = await rollOf(after);
        seen.push(roll);
        return isUp('stays')(roll) && !roll.some((one) => /^(gone|left) /.test(one));
      });
      expect(seen.some(isUp('gone'))).toBe(false);
      expect(seen.some(isUp('left'))).toBe(false);
      // Who saw it leave does not show it again; who starts on the dump has to ask it first.
      const isBack = seen.some((roll) => roll.includes('left unconfirmed'));
      if (what === 'starts anew') expect(isBack).toBe(true);
      if (what === 'goes on') expect(await rollOf(after)).toContain('late up');
      else {
        // A watcher that has seen what the dump lacks is told that this past is lost.
        await renew(after, stays);
        await register(after, 'new', { ttlMs: 60_000 });
        const resumed = await watch(after, { 'last-event-id': position });
        await until(() => resumed.of('bookmark').length > 0);
        expect(resumed.of('compacted')).toHaveLength(1);
        expect(JSON.stringify(resumed.of('snapshot'))).not.toContain('"late/');
      }
    },
    60_000,
  );
});
