import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { freePort, until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startNodeProxy } from './compose.ts';
import { readConfig } from './config.ts';
import { startInstance, whoAnswers } from './testing/sockets.ts';

async function setUp() {
  // A range of its own: what others serve on this machine is not in the way.
  const server = await startTestServer('--service-cidr=127.98.0.0/16');
  onTestFinished(() => server.close());
  const client = new Rollcall({ url: server.url });
  onTestFinished(() => client.close());
  const flags = [`--registry=${server.url}`, '--metrics=off', '--shutdown-ms=0', '--node-name=n1'];
  const proxy = await startNodeProxy(readConfig(flags, {}), { log: () => {} });
  onTestFinished(() => proxy.close());
  const enter = async (name: string) => {
    const instance = await startInstance(name);
    const ports = { http: { port: instance.port, containerPort: 80 } };
    const registration = await client.register({
      service: 'web',
      id: name,
      ports,
      signals: [],
    });
    return { instance, registration };
  };
  return { server, client, proxy, enter };
}

const conditionsOf = async (client: Rollcall): Promise<string[]> => {
  const { reports } = await client.call('listReports', { params: { ns: 'default', svc: 'web' } });
  return reports.flatMap(({ reporter, conditions }) =>
    conditions.map(({ type, status }) => `${reporter} ${type}=${status}`),
  );
};

test('declared, served on its cluster IP and node port, its instances replaced, reported, deleted', async () => {
  const { client, proxy, enter } = await setUp();
  const [port, nodePort] = [await freePort(), 30_000 + (process.pid % 2_768)];
  const spec = {
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [{ port, targetPort: 80, nodePort }],
  };
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec };
  await client.call('apply', { body: JSON.stringify(manifest) });
  const first = await enter('a');
  const proxied = await until(() => [...proxy.services()].find(({ key }) => key === 'default/web'));
  const [host = ''] = proxied.declared.clusterIPs;
  expect(host).toMatch(/^127\.98\./);
  await until(async () => (await whoAnswers({ host, port })) === 'a');
  expect(await whoAnswers({ host: '127.0.0.1', port: nodePort })).toBe('a');
  await until(async () => (await conditionsOf(client)).length === 3);
  expect(await conditionsOf(client)).toEqual([
    'node-proxy.n1 ClusterIPBound=True',
    'node-proxy.n1 NodePortBound=True',
    'node-proxy.n1 Programmed=True',
  ]);

  await enter('b');
  await first.registration.close();
  first.instance.stop();
  await until(async () => (await whoAnswers({ host, port })) === 'b');

  await client.call('deleteManifest', {
    params: { ns: 'default', kind: 'services', name: 'web' },
  });
  await until(async () => (await whoAnswers({ host, port })) === 'ECONNREFUSED');
});

test('every instance is replaced under load, through cluster IP and node port: no connection fails', async () => {
  const { client, proxy, enter } = await setUp();
  const [port, nodePort] = [await freePort(), 30_000 + ((process.pid + 1_000) % 2_768)];
  const spec = {
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [{ port, targetPort: 80, nodePort }],
  };
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec };
  await client.call('apply', { body: JSON.stringify(manifest) });
  let old = await Promise.all(['a0', 'b0', 'c0'].map(enter));
  const proxied = await until(() => [...proxy.services()].find(({ key }) => key === 'default/web'));
  const places = [
    { host: proxied.declared.clusterIPs[0] ?? '', port },
    { host: '127.0.0.1', port: nodePort },
  ];
  for (const place of places) await until(async () => (await whoAnswers(place)).endsWith('0'));
  const names: string[] = [];
  const state = { isOver: false };
  const load = Promise.all(
    [...places, ...places].map(async (place) => {
      while (!state.isOver) names.push(await whoAnswers(place));
    }),
  );
  for (const generation of [1, 2]) {
    for (const name of ['a', 'b', 'c']) {
      const [leaving, ...staying] = old;
      const next = await enter(`${name}${generation}`);
      const { sockets } = leaving!.instance;
      const whenIdle = async () => void (await until(() => sockets.size === 0));
      await leaving!.registration.drain({ whenIdle });
      leaving!.instance.stop();
      old = [...staying, next];
      const { length } = names;
      await until(() => names.length > length + 20);
    }
  }
  state.isOver = true;
  await load;
  expect(new Set(names.filter((name) => !/^[abc][012]$/.test(name)))).toEqual(new Set());
  for (const name of ['a2', 'b2', 'c2']) expect(names).toContain(name);
});

test('the registry goes: the last picture is served', async () => {
  const { server, client, proxy, enter } = await setUp();
  const port = await freePort();
  const spec = { ports: [{ port, targetPort: 80 }], selector: { app: 'web' } };
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec };
  await client.call('apply', { body: JSON.stringify(manifest) });
  await enter('a');
  const proxied = await until(() => [...proxy.services()].find(({ key }) => key === 'default/web'));
  const [host = ''] = proxied.declared.clusterIPs;
  await until(async () => (await whoAnswers({ host, port })) === 'a');
  await server.close();
  for (let i = 0; i < 20; i++) expect(await whoAnswers({ host, port })).toBe('a');
});

test.each(['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'])(
  'the label %s keeps the proxy away, from the beginning and as long as it is there',
  async (label) => {
    const { client, proxy, enter } = await setUp();
    const [port, other] = [await freePort(), await freePort()];
    const declare = async (name: string, labels: object, at: number) => {
      const spec = { selector: { app: 'web' }, ports: [{ port: at, targetPort: 80 }] };
      const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name, labels }, spec };
      await client.call('apply', { body: JSON.stringify(manifest) });
      const params = { ns: 'default', kind: 'services', name };
      const { spec: stored } = await client.call('readManifest', { params });
      return (stored as { clusterIP: string }).clusterIP;
    };
    const keys = () => [...proxy.services()].map(({ key }) => key);
    await enter('a');
    const host = await declare('web', { [label]: 'mine' }, port);
    const place = { host: await declare('other', {}, other), port: other };
    // What was declared later is served: the earlier one was seen and passed over.
    await until(async () => (await whoAnswers(place)) === 'a');
    expect(keys()).not.toContain('default/web');
    expect(await whoAnswers({ host, port })).toBe('ECONNREFUSED');

    await declare('web', {}, port);
    await until(async () => (await whoAnswers({ host, port })) === 'a');
    await until(async () => (await conditionsOf(client)).length > 0);

    await declare('web', { [label]: '' }, port);
    await until(async () => (await whoAnswers({ host, port })) === 'ECONNREFUSED');
    await until(async () => (await conditionsOf(client)).length === 0);
    expect(keys()).not.toContain('default/web');
    expect(await whoAnswers(place)).toBe('a');

    await declare('web', {}, port);
    await until(async () => (await whoAnswers({ host, port })) === 'a');
  },
);
