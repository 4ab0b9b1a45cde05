import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import type { Explanation } from '@rollcall/contract';
import { ManifestApi, NGINX, serviceText, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer('--allow-external-ip=198.51.100.0/24');
  api = new ManifestApi(server);
});
afterEach(() => server.close());

describe('the registry itself', () => {
  test('is always a service, and comes back when it is deleted', async () => {
    await until(async () => (await api.list('svc')).length === 1);
    expect(specOf(await api.read('svc/rollcall'))).toMatchObject({ clusterIP: '127.96.0.1' });
    expect(await api.object('DELETE', 'svc/rollcall')).toMatchObject({ status: 200 });
    await until(async () => (await api.resolve('rollcall')).declared !== null, {
      withinMs: 10_000,
    });
    expect(specOf(await api.read('svc/rollcall'))).toMatchObject({ clusterIP: '127.96.0.1' });
  });
});

describe('selectors and target ports', () => {
  beforeEach(async () => {
    await api.register('nginx/a', { ports: { http: { port: 3001, containerPort: 80 } } });
    await api.register('nginx/b', { ports: { http: { port: 3002, containerPort: 80 } } });
    await api.register('web/c', {
      labels: { app: 'nginx', tier: 'front' },
      ports: { http: { port: 3003, containerPort: 80 }, admin: 9000 },
    });
  });

  test('labels are ANDed, and instances of other services are found by them', async () => {
    await api.apply(NGINX);
    expect(await api.places('nginx')).toEqual([
      '127.0.0.1:3001',
      '127.0.0.1:3002',
      '127.0.0.1:3003',
    ]);
    await api.apply(
      serviceText('front', { selector: { app: 'nginx', tier: 'front' }, ports: [{ port: 80 }] }),
    );
    expect(await api.places('front')).toEqual(['127.0.0.1:3003']);
  });

  test('a name leads to the port of that name, where there is one', async () => {
    await api.apply(
      serviceText('admin', {
        selector: { app: 'nginx' },
        ports: [{ port: 80, targetPort: 'admin' }],
      }),
    );
    expect(await api.places('admin')).toEqual(['127.0.0.1:9000']);
  });

  test('a number that is no container port is taken as it stands', async () => {
    await api.apply(
      serviceText('raw', { selector: { app: 'nginx' }, ports: [{ port: 80, targetPort: 7777 }] }),
    );
    expect(new Set(await api.places('raw'))).toEqual(new Set(['127.0.0.1:7777']));
  });

  test('several ports give several endpoints under the names of the service', async () => {
    await api.apply(
      serviceText('both', {
        selector: { tier: 'front' },
        ports: [
          { name: 'web', port: 80 },
          { name: 'ops', port: 81, targetPort: 'admin' },
        ],
      }),
    );
    const { endpoints } = await api.resolve('both');
    expect(endpoints.map(({ portName, port }) => [portName, port])).toEqual([
      ['ops', 9000],
      ['web', 3003],
    ]);
  });

  test('labels that change, addresses that move and instances that go are followed', async () => {
    await api.apply(NGINX);
    const path = '/v1/namespaces/default/services/web/instances/c';
    await api.call('PATCH', path, '{"labels":{"app":"other"}}', 'application/json');
    expect(await api.places('nginx')).toHaveLength(2);
    await api.call('PATCH', path, '{"labels":{"app":"nginx"}}', 'application/json');
    expect(await api.places('nginx')).toHaveLength(3);
    await api.register('nginx/a', {
      address: '127.0.0.9',
      ports: { http: { port: 4001, containerPort: 80 } },
    });
    expect(await api.places('nginx')).toEqual([
      '127.0.0.9:4001',
      '127.0.0.1:3002',
      '127.0.0.1:3003',
    ]);
    await api.call('DELETE', '/v1/namespaces/default/services/nginx/instances/b');
    expect(await api.places('nginx')).toEqual(['127.0.0.9:4001', '127.0.0.1:3003']);
  });

  test('a selector looks inside its namespace alone', async () => {
    await api.apply(NGINX, '?namespace=other');
    expect((await api.resolve('nginx', 'other')).endpoints).toEqual([]);
  });

  test('deleting the declaration leaves the implicit service', async () => {
    await api.apply(NGINX);
    expect((await api.resolve('nginx')).declared?.clusterIPs).toHaveLength(1);
    await api.object('DELETE', 'service/nginx');
    const { declared, endpoints } = await api.resolve('nginx');
    expect(declared).toBeNull();
    expect(endpoints.map(({ id }) => id)).toEqual(['a/http', 'b/http']);
  });

  test('why an instance is or is not an endpoint is told', async () => {
    await api.apply(serviceText('front', { selector: { tier: 'front' }, ports: [{ port: 80 }] }));
    const { body } = await api.call('GET', '/v1/namespaces/default/services/front/explain');
    const reasonsOf = (id: string) =>
      (body as Explanation).instances.find((one) => one.instance === id)?.reasons;
    expect(reasonsOf('a')).toEqual(['the selector wants tier=front; has no such label']);
    expect(reasonsOf('c')).toContain('port 80: leads to 127.0.0.1:3003');
  });

  test('publishNotReadyAddresses counts everybody as ready', async () => {
    await api.register('nginx/d', { status: 'starting', ports: { http: 3004 } });
    await api.apply(
      serviceText('all', {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: { app: 'nginx' },
        ports: [{ port: 80, targetPort: 'http' }],
      }),
    );
    const { endpoints } = await api.resolve('all');
    expect(endpoints.map(({ ready }) => ready)).toEqual([true, true, true, true]);
    const { body } = await api.call('GET', '/v1/namespaces/default/services/all/explain');
    const { instances } = body as Explanation;
    expect(instances.filter(({ isEndpoint }) => isEndpoint)).toHaveLength(4);
  });
});

test('endpoints written for a service go with it, and are not those of its successor', async () => {
  const service = serviceText('db', { ports: [{ port: 5432 }] });
  const endpoints = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'db' },
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }],
  });
  await api.apply(service);
  await api.apply(endpoints);
  await until(async () => (await api.places('db')).length === 1);
  expect(await api.object('DELETE', 'svc/db')).toMatchObject({ status: 200 });
  expect(await api.object('GET', 'endpoints/db')).toMatchObject({ status: 404 });
  await api.apply(service);
  expect(await api.places('db')).toEqual([]);
});
