import type { ApplyReply, ManifestList, ManifestObject } from '@rollcall/contract';
import { until } from '@rollcall/testkit';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { RegistryServer } from './compose.ts';
import { keysOf } from './store/redis/keys.ts';
import { ManifestApi, portsOf, type Reply, serviceText, specOf } from './testing/manifest-api.ts';
import { startTestServer } from './testing/test-server.ts';

const NODE_PORTS = 32_767 - 30_000 + 1;
/** Documents of one request. */
const BATCH = 100;

let servers: RegistryServer[];
let apis: ManifestApi[];
let prefix: string;
beforeEach(async () => {
  prefix = `allocation-${process.pid}-${performance.now()}`.replace('.', '-');
  const flags = [`--store=${inject('redisUrl')}`, `--store-prefix=${prefix}`];
  servers = await Promise.all([startTestServer(...flags), startTestServer(...flags)]);
  apis = servers.map((server) => new ManifestApi(server));
  await until(async () => {
    const all = await Promise.all(servers.map(({ url }) => fetch(`${url}/readyz`)));
    return all.every(({ ok }) => ok);
  });
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

const apiOf = (i: number) => apis[i % apis.length] as ManifestApi;

/**
 * Asks again while the store does not answer in time, as happens on a busy machine. Such a call may have been carried
 * out, so this is only for calls that may be repeated.
 */
async function answered(ask: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await ask();
    if (reply.status !== 503) return reply;
  }
}

/** Everything that was declared under these names, as both servers show it. */
async function declared(namespaces: readonly string[]): Promise<ManifestObject[]> {
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const { body } = await apiOf(0).call('GET', `/v1/namespaces/${namespace}/manifests/svc`);
      return (body as ManifestList).items;
    }),
  );
  return lists.flat();
}

/** How many numbers of a pool have an owner in the store; the registry itself has one address. */
async function taken(pool: 'clusterIps' | 'nodePorts'): Promise<number> {
  const redis = new Redis(inject('redisUrl'));
  try {
    return await redis.hlen(keysOf(0, prefix)[pool]);
  } finally {
    redis.disconnect();
  }
}

test('two servers give 10,000 services an address each, none twice, and leak none', async () => {
  const namespaces = ['one', 'two'];
  const declareAll = () =>
    Promise.all(
      Array.from({ length: 10_000 / BATCH }, async (_, batch) => {
        const text = Array.from({ length: BATCH }, (__, i) =>
          serviceText(`s${batch * BATCH + i}`, { selector: { a: 'b' }, ports: [{ port: 80 }] }),
        ).join('\n---\n');
        const namespace = namespaces[batch % namespaces.length];
        const path = `/v1/apply?namespace=${namespace}`;
        const { status, body } = await answered(() => apiOf(batch).call('POST', path, text));
        expect(status).toBe(200);
        return (body as ApplyReply).results.map(({ object }) =>
          String(specOf(object)['clusterIP']),
        );
      }),
    );
  const addresses = (await declareAll()).flat();
  expect(new Set(addresses).size).toBe(10_000);
  await until(async () => (await declared(namespaces)).length >= 10_000);
  const shown = (await declared(namespaces)).map((object) => specOf(object)['clusterIP']);
  expect(new Set(shown)).toEqual(new Set(addresses));

  const due = await declared(namespaces);
  const deleteNext = async (server: number): Promise<void> => {
    for (let next = due.pop(); next !== undefined; next = due.pop()) {
      const { namespace, name } = next.metadata;
      const path = `/v1/namespaces/${namespace}/manifests/svc/${name}`;
      await answered(() => apiOf(server).call('DELETE', path));
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, i) => deleteNext(i)));
  await until(async () => (await declared(namespaces)).length === 0);
  expect(await taken('clusterIps')).toBe(1);
}, 300_000);

test('of 3,000 node ports asked for at once 2,768 are given, and the others are refused clearly', async () => {
  const outcomes: Reply[] = [];
  let asked = 0;
  const askNext = async (worker: number): Promise<void> => {
    for (let i = asked++; i < 3_000; i = asked++) {
      const text = serviceText(`np${i}`, { type: 'NodePort', ports: [{ port: 80 }] });
      outcomes.push(await answered(() => apiOf(worker).call('POST', '/v1/apply', text)));
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, worker) => askNext(worker)));
  expect(outcomes).toHaveLength(3_000);
  const granted = outcomes.filter(({ status }) => status === 200);
  const ports = granted.map(({ body }) => portsOf((body as ApplyReply).results[0]?.object)[0]);
  expect(granted).toHaveLength(NODE_PORTS);
  expect(new Set(ports.map((port) => port?.['nodePort'])).size).toBe(NODE_PORTS);
  const refused = outcomes.filter(({ status }) => status !== 200);
  for (const { status, body } of refused) {
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'range_exhausted',
      field: 'spec.ports[0].nodePort',
      message: expect.stringContaining('range is full') as string,
    });
  }
  // What was refused holds no address either: the services that exist are those that were granted.
  // One server sees what the other wrote a moment later.
  await until(async () => (await declared(['default'])).length >= NODE_PORTS + 1);
  expect(await declared(['default'])).toHaveLength(NODE_PORTS + 1);
  await apiOf(0)
    .object('DELETE', 'svc/np0')
    .then(({ status }) => status === 200);
}, 300_000);
