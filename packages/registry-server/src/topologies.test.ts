import { Rollcall } from '@rollcall/client-sdk';
import {
  findRedisBinary,
  RedisCluster,
  redisCommand,
  RedisSentinel,
  until,
} from '@rollcall/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from './compose.ts';
import { startTestServer } from './testing/test-server.ts';

const binary = await findRedisBinary();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const IDS = ['a', 'b', 'c', 'd'];

async function startServers(store: string): Promise<readonly RegistryServer[]> {
  const flags = [`--store=${store}`, '--guard-ms=60000'];
  const servers = await Promise.all([startTestServer(...flags), startTestServer(...flags)]);
  for (const server of servers) closers.push(() => server.close());
  await until(async () => {
    const replies = await Promise.all(servers.map(({ url }) => fetch(`${url}/readyz?for=writes`)));
    return replies.every(({ ok }) => ok);
  });
  return servers;
}

/** A client with four instances on the roll, and the smallest roll that it ever saw since. */
async function instancesOn(urls: readonly string[]) {
  const rollcall = new Rollcall({ url: [...urls] });
  closers.push(() => rollcall.close());
  const port = 3_000;
  await Promise.all(
    IDS.map((id) => rollcall.register({ service: 'held', id, port, ttlMs: 3_000 })),
  );
  const held = rollcall.service('held');
  await until(() => held.endpoints().length === IDS.length);
  let smallest = IDS.length;
  held.on('change', ({ endpoints }) => {
    smallest = Math.min(smallest, endpoints.length);
  });
  return { rollcall, held, smallest: () => smallest };
}

describe.skipIf(binary === undefined)('Redis as it is run in production', () => {
  test('G5: a Sentinel failover empties nobody, and what was declared and registered is there after it', async () => {
    const sentinel = await RedisSentinel.start(binary as NonNullable<typeof binary>);
    closers.push(() => sentinel.close());
    const servers = await startServers(`redis-sentinel://${sentinel.hosts}/${sentinel.master}`);
    const { rollcall, held, smallest } = await instancesOn(servers.map(({ url }) => url));
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'declared' },
      spec: { selector: { app: 'held' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    const { results } = await rollcall.call('apply', { body });
    const before = results[0]?.object?.['spec'] as { clusterIP: string };

    await sentinel.failover();
    const late = await until(
      () => rollcall.register({ service: 'held', id: 'late', port: 3_001 }),
      {
        withinMs: 30_000,
      },
    );
    await until(() => held.endpoints().filter(({ tier }) => tier === 0).length === IDS.length + 1, {
      withinMs: 30_000,
      what: 'everybody back in use',
    });
    expect(smallest()).toBe(IDS.length);
    const params = { ns: 'default', kind: 'svc', name: 'declared' };
    const after = await rollcall.call('readManifest', { params });
    expect(after['spec']).toMatchObject({ clusterIP: before.clusterIP });

    // Who leaves after it stays away, on either server.
    await late.deregister();
    for (const { url } of servers) {
      await until(async () => {
        const path = '/v1/namespaces/default/services/held/instances/late';
        return (await fetch(`${url}${path}`)).status === 404;
      });
    }
  }, 120_000);

  test('G5: a primary that was stopped, replaced and goes on: who left meanwhile stays away', async () => {
    const sentinel = await RedisSentinel.start(binary as NonNullable<typeof binary>);
    closers.push(() => sentinel.close());
    const servers = await startServers(`redis-sentinel://${sentinel.hosts}/${sentinel.master}`);
    const { rollcall, held, smallest } = await instancesOn(servers.map(({ url }) => url));
    // Their leases outlast the test by far: that they ran out is no reason to be gone.
    const ttlMs = 300_000;
    const leaving = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        rollcall.register({ service: 'held', id: `leaves-${i}`, port: 3_001, ttlMs }),
      ),
    );
    await until(() => held.endpoints().length === IDS.length + leaving.length);
    const old = await sentinel.primary();
    old.signal('SIGSTOP');
    await until(async () => (await sentinel.primary()) !== old, { withinMs: 30_000 });
    for (const { url } of servers)
      await until(async () => (await fetch(`${url}/readyz?for=writes`)).ok, { withinMs: 30_000 });
    for (const one of leaving.slice(0, 3)) await one.deregister();
    old.signal('SIGCONT');
    // For a moment it takes itself for the primary still. Who is refused there may stay: nobody said it was gone.
    const stay: string[] = [];
    for (const one of leaving.slice(3)) await one.deregister().catch(() => stay.push(one.id));
    await until(async () => (await old.command('ROLE')).includes('slave'), { withinMs: 30_000 });

    const expected = [...IDS, ...stay];
    const isSettled = () => {
      const ids = held.endpoints().map(({ instance, tier }) => `${instance} ${tier}`);
      return ids.toSorted().join() === expected.map((id) => `${id} 0`).join();
    };
    await until(isSettled, { withinMs: 30_000, what: 'those who stayed, and nobody else' });
    const rolls = await Promise.all(
      servers.map(async ({ url }) => {
        const reply = await fetch(`${url}/v1/namespaces/default/services/held/endpoints`);
        const { endpoints } = (await reply.json()) as { endpoints: { instance: string }[] };
        return endpoints.map(({ instance }) => instance).toSorted();
      }),
    );
    expect(rolls).toEqual([expected, expected]);
    expect(smallest()).toBe(IDS.length);
  }, 120_000);

  test('partitions are rolls of their own, spread over the primaries of a Redis Cluster', async () => {
    const cluster = await RedisCluster.start(binary as NonNullable<typeof binary>);
    closers.push(() => cluster.close());
    // One in the slots of each of the three.
    const partitions = [0, 1, 3];
    const leases = await Promise.all(
      partitions.map(async (partition) => {
        const store = `redis-cluster://${cluster.hosts}`;
        const server = await startTestServer(`--store=${store}`, `--store-partition=${partition}`);
        closers.push(() => server.close());
        await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
        const rollcall = new Rollcall({ url: server.url, namespace: `room-${partition}` });
        closers.push(() => rollcall.close());
        await rollcall.register({ service: 'held', id: `of-${partition}`, port: 3_000 });
        const held = rollcall.service('held');
        await held.ready({ endpoints: 0 });
        const { revision } = await rollcall.call('register', {
          params: { ns: 'default', svc: 'held', id: 'plain' },
          body: { ports: { http: 1 } },
        });
        expect(Number(revision)).toBeGreaterThan(0);
        const { instances } = await rollcall.call('listInstances', { params: { ns: '*' } });
        const ids = instances.filter(({ service }) => service === 'held').map(({ id }) => id);
        expect(ids.toSorted()).toEqual([`of-${partition}`, 'plain'].toSorted());
        const reply = await rollcall.call('register', {
          params: { ns: 'default', svc: 'held', id: 'plain' },
          body: { ports: { http: 1 } },
        });
        return reply.lease?.id ?? '';
      }),
    );
    expect(leases.map((lease) => Number(lease.split('.')[0]))).toEqual(partitions);
    const sizes = await Promise.all(cluster.nodes.map(({ port }) => redisCommand(port, 'DBSIZE')));
    for (const size of sizes) expect(Number(size.replaceAll(/\D/g, ''))).toBeGreaterThan(3);
  }, 120_000);

  test('a Redis Cluster of three primaries carries the roll', async () => {
    const cluster = await RedisCluster.start(binary as NonNullable<typeof binary>);
    closers.push(() => cluster.close());
    const servers = await startServers(`redis-cluster://${cluster.hosts}`);
    const { rollcall, held, smallest } = await instancesOn(servers.map(({ url }) => url));
    await rollcall.register({ service: 'held', id: 'late', port: 3_001 });
    await until(() => held.endpoints().length === IDS.length + 1);
    for (const { url } of servers) {
      await until(async () => {
        const reply = await fetch(`${url}/v1/namespaces/default/services/held`);
        return ((await reply.json()) as { instances: number }).instances === IDS.length + 1;
      });
    }
    expect(smallest()).toBeGreaterThanOrEqual(IDS.length);
  }, 120_000);
});
