import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer('--allow-external-ip=198.51.100.0/24');
  api = new ManifestApi(server);
});
afterEach(() => server.close());

describe('services without selector, and other kinds', () => {
  const DB = serviceText('db', { ports: [{ port: 5432 }] });

  test('hand-written Endpoints are its endpoints', async () => {
    await api.apply(DB);
    expect(await api.places('db')).toEqual([]);
    await api.apply(`apiVersion: v1
kind: Endpoints
metadata: {name: db}
subsets:
- addresses: [{ip: 192.0.2.42}, {ip: 192.0.2.43}]
  notReadyAddresses: [{ip: 192.0.2.44}]
  ports: [{port: 9376}]
`);
    const { endpoints } = await api.resolve('db');
    expect(endpoints.map(({ address, port, ready }) => [address, port, ready])).toEqual([
      ['192.0.2.42', 9376, true],
      ['192.0.2.43', 9376, true],
      ['192.0.2.44', 9376, false],
    ]);
    expect(
      await api.list('endpointslices', '?selector=kubernetes.io/service-name=db'),
    ).toHaveLength(1);
    await api.object('DELETE', 'ep/db');
    expect(await api.places('db')).toEqual([]);
  });

  test('hand-written slices too, by their label, and they may move to another service', async () => {
    await api.apply([DB, serviceText('db2', { ports: [{ port: 5432 }] })].join('\n---\n'));
    const slice = (owner: string) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, labels: {kubernetes.io/service-name: ${owner}}}
addressType: IPv4
ports: [{name: "", port: 5432, protocol: TCP}]
endpoints: [{addresses: [192.0.2.50], zone: a}]
`;
    await api.apply(slice('db'));
    expect(await api.places('db')).toEqual(['192.0.2.50:5432']);
    await api.apply(slice('db2'));
    expect(await api.places('db')).toEqual([]);
    expect(await api.places('db2')).toEqual(['192.0.2.50:5432']);
  });

  test('the topology of an older slice is checked and not kept', async () => {
    const slice = (topology: string) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1}
addressType: IPv4
endpoints: [{addresses: [192.0.2.50], nodeName: n, deprecatedTopology: {${topology}: a}}]
`;
    await api.refused(slice('-'));
    await api.apply(slice('rack'));
    const { endpoints } = (await api.read('endpointslices/db-1')) as unknown as {
      endpoints: unknown;
    };
    expect(endpoints).toEqual([{ addresses: ['192.0.2.50'], nodeName: 'n' }]);
  });

  test('an ExternalName has neither address nor endpoints', async () => {
    await api.apply(
      serviceText('ext', { type: 'ExternalName', externalName: 'my.database.example.com' }),
    );
    expect((await api.resolve('ext')).declared).toMatchObject({
      type: 'ExternalName',
      externalName: 'my.database.example.com',
      clusterIPs: [],
    });
  });

  test('a Deployment counts what is there, and says that it starts nothing', async () => {
    await api.register('web/a', { ports: { http: 1 } });
    const template = { metadata: { labels: { app: 'web' } } };
    const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template };
    const text = JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec,
    });
    const { results } = await api.apply(text);
    expect(results[0]?.warnings[0]).toContain('starts nothing');
    expect((await api.read('deploy/web'))['status']).toMatchObject({
      replicas: 1,
      readyReplicas: 1,
    });
    const patch = '{"spec":{"replicas":1}}';
    await api.object('PATCH', 'deployments/web', patch, 'application/json');
    expect((await api.read('deploy/web'))['status']).toMatchObject({ unavailableReplicas: 0 });
  });

  test('an unknown kind is told, and what is known', async () => {
    const { status, body } = await api.object('GET', 'pizza');
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'kind_not_found', field: 'kind' });
  });

  test('selectors of lists are those of kubectl', async () => {
    const labelled = (name: string, labels: object) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, labels },
        spec: { ports: [{ port: 1 }] },
      });
    await api.apply(
      [labelled('a', { env: 'dev' }), labelled('b', { env: 'prod' })].join('\n---\n'),
    );
    const names = async (selector: string) =>
      (await api.list('svc', `?selector=${encodeURIComponent(selector)}`))
        .map(({ metadata }) => metadata.name)
        .filter((name) => name !== 'rollcall');
    expect(await names('env=dev')).toEqual(['a']);
    expect(await names('env!=dev')).toEqual(['b']);
    expect(await names('env in (dev,prod)')).toEqual(['a', 'b']);
    expect(await names('env notin (dev), env')).toEqual(['b']);
    expect(await names('!env')).toEqual([]);
  });
});
