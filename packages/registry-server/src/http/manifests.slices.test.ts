import type { Explanation, ManifestObject } from '@rollcall/contract';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(() => server.close());

const slicesOf = (service: string) =>
  api.list('endpointslices', `?selector=kubernetes.io/service-name=${service}`);

const serviceWith = (name: string, spec: object, metadata: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name, ...metadata }, spec });

const endpointsOf = (object: ManifestObject | undefined) =>
  object?.['endpoints'] as Record<string, unknown>[];

const orders = { selector: { app: 'orders' }, ports: [{ port: 80, targetPort: 8080 }] };

describe('slices of a service with a selector', () => {
  test('one that selects nobody has one empty slice', async () => {
    await api.apply(serviceText('orders', orders));
    const [slice, ...others] = await slicesOf('orders');
    expect(others).toEqual([]);
    expect(slice).toMatchObject({ addressType: 'IPv4', endpoints: [], ports: null });
    const { name } = slice?.metadata ?? {};
    expect(await api.read(`endpointslices/${name}`)).toEqual(slice);
    await api.register('orders/a', { address: '192.0.2.1', ports: { http: 8080 } });
    await until(async () => endpointsOf((await slicesOf('orders'))[0]).length === 1);
    expect(await slicesOf('orders')).toHaveLength(1);
  });

  test('an ExternalName and a service without a selector have none', async () => {
    await api.apply(serviceText('away', { type: 'ExternalName', externalName: 'a.example' }));
    await api.apply(serviceText('bare', { ports: [{ port: 80 }] }));
    expect(await slicesOf('away')).toEqual([]);
    expect(await slicesOf('bare')).toEqual([]);
  });

  test('its service owns it; its labels are those of the service, but for the reserved ones', async () => {
    const labels = {
      team: 'shop',
      'endpointslice.kubernetes.io/managed-by': 'me',
      'kubernetes.io/service-name': 'other',
      'service.kubernetes.io/headless': 'yes',
    };
    await api.apply(serviceWith('orders', orders, { labels }));
    const [slice] = await slicesOf('orders');
    const { uid } = (await api.read('svc/orders')).metadata;
    expect(slice?.metadata).toMatchObject({
      generateName: 'orders-',
      labels: {
        team: 'shop',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': 'orders',
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'orders',
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    expect(slice?.metadata.labels).not.toHaveProperty('service.kubernetes.io/headless');
  });

  test('one that is written under its name is shown in its place', async () => {
    await api.apply(serviceText('orders', orders));
    const [derived] = await slicesOf('orders');
    const endpoints = [{ addresses: ['192.0.2.9'] }];
    await api.apply(JSON.stringify({ ...derived, endpoints }));
    const [only, ...others] = await slicesOf('orders');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ metadata: { name: derived?.metadata.name }, endpoints });
  });

  test('the addresses of its Endpoints are sorted as texts', async () => {
    for (const [i, address] of ['192.0.2.9', '192.0.2.10', '192.0.2.1'].entries()) {
      await api.register(`orders/${i}`, { address, ports: { http: 8080 } });
    }
    await api.apply(serviceText('orders', orders));
    const ips = ['192.0.2.1', '192.0.2.10', '192.0.2.9'].map((ip) => ({ ip }));
    expect((await api.read('ep/orders'))['subsets']).toMatchObject([{ addresses: ips }]);
  });

  test('the protocol of the application, and zones as hints where they are preferred', async () => {
    const ports = [{ name: 'rpc', port: 80, targetPort: 8080, appProtocol: 'h2c' }];
    const spec = { ...orders, ports, trafficDistribution: 'PreferSameZone' };
    await api.register('orders/a', { address: '192.0.2.1', zone: 'north', ports: { http: 8080 } });
    await api.register('orders/b', { address: '192.0.2.2', ports: { http: 8080 } });
    const away = { address: '192.0.2.3', zone: 'south', status: 'starting', ports: { http: 8080 } };
    await api.register('orders/c', away);
    await api.apply(serviceText('orders', spec));
    const [slice] = await slicesOf('orders');
    expect(slice?.['ports']).toEqual([
      { name: 'rpc', port: 8080, protocol: 'TCP', appProtocol: 'h2c' },
    ]);
    expect(endpointsOf(slice).map(({ hints }) => hints)).toEqual([
      { forZones: [{ name: 'north' }] },
      undefined,
      undefined,
    ]);
    const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
    await api.apply(serviceWith('orders', spec, { annotations }));
    for (const one of endpointsOf((await slicesOf('orders'))[0]))
      expect(one).not.toHaveProperty('hints');
    expect((await api.read('ep/orders'))['subsets']).toMatchObject([
      { ports: [{ name: 'rpc', port: 8080, protocol: 'TCP', appProtocol: 'h2c' }] },
    ]);
  });

  test('a headless service without ports: addresses with host names and no ports', async () => {
    await api.register('orders/a', { address: '192.0.2.1', ports: { http: 8080 } });
    await api.register('orders/b', { address: '192.0.2.2', ports: { http: 8081 } });
    await api.apply(serviceText('peers', { clusterIP: 'None', selector: { app: 'orders' } }));
    const [slice, ...others] = await slicesOf('peers');
    expect(others).toEqual([]);
    expect(slice?.['ports']).toBeNull();
    expect(slice?.metadata.labels).toMatchObject({ 'service.kubernetes.io/headless': '' });
    expect(endpointsOf(slice)).toMatchObject([{ hostname: 'a' }, { hostname: 'b' }]);
    const endpoints = await api.read('ep/peers');
    expect(endpoints.metadata.labels).toEqual({
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
      'service.kubernetes.io/headless': '',
    });
    expect(endpoints['subsets']).toEqual([
      {
        addresses: [
          {
            ip: '192.0.2.1',
            hostname: 'a',
            targetRef: { kind: 'Pod', name: 'a', namespace: 'default' },
          },
          {
            ip: '192.0.2.2',
            hostname: 'b',
            targetRef: { kind: 'Pod', name: 'b', namespace: 'default' },
          },
        ],
      },
    ]);
  });
});

describe('slices of hand-written Endpoints', () => {
  const ports = [
    { name: 'http', port: 80 },
    { name: 'https', port: 443, appProtocol: 'https' },
  ];

  const written = (subsets: object[], metadata: object = {}) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'legacy', ...metadata },
      subsets,
    });

  beforeEach(() => api.apply(serviceText('legacy', { ports })));

  test('all ports of a subset are in one slice per family, with what is written of an address', async () => {
    const targetRef = { kind: 'Pod', name: 'p-1', namespace: 'default' };
    const addresses = [
      { ip: '192.0.2.1', hostname: 'one', nodeName: 'node-1', targetRef },
      { ip: '192.0.2.2' },
      { ip: '2001:db8::1' },
    ];
    await api.apply(written([{ addresses, notReadyAddresses: [{ ip: '192.0.2.3' }], ports }]));
    const slices = await slicesOf('legacy');
    const byFamily = new Map(slices.map((slice) => [slice['addressType'], slice]));
    expect(slices).toHaveLength(2);
    expect(byFamily.get('IPv4')?.['ports']).toEqual([
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'https', port: 443, protocol: 'TCP', appProtocol: 'https' },
    ]);
    expect(byFamily.get('IPv4')?.['endpoints']).toEqual([
      {
        addresses: ['192.0.2.1'],
        conditions: { ready: true },
        hostname: 'one',
        nodeName: 'node-1',
        targetRef,
      },
      { addresses: ['192.0.2.2'], conditions: { ready: true } },
      { addresses: ['192.0.2.3'], conditions: { ready: false } },
    ]);
    expect(endpointsOf(byFamily.get('IPv6'))).toEqual([
      { addresses: ['2001:db8::1'], conditions: { ready: true } },
    ]);
    for (const slice of slices)
      expect(await api.read(`endpointslices/${slice.metadata.name}`)).toEqual(slice);
  });

  test('empty names are none', async () => {
    const addresses = [{ ip: '192.0.2.1', hostname: '' }];
    await api.apply(written([{ addresses, ports }]));
    expect(endpointsOf((await slicesOf('legacy'))[0])).toEqual([
      { addresses: ['192.0.2.1'], conditions: { ready: true } },
    ]);
    const { endpoints } = await api.resolve('legacy');
    expect(endpoints).toMatchObject([{ instance: '192.0.2.1' }, { instance: '192.0.2.1' }]);
  });

  test('each set of ports has its own slice, whatever subset it is in', async () => {
    const subset = (ip: string, port: number) => ({
      addresses: [{ ip }],
      ports: [{ name: 'http', port }],
    });
    await api.apply(
      written([subset('192.0.2.1', 80), subset('192.0.2.2', 81), subset('192.0.2.3', 80)]),
    );
    const found = (await slicesOf('legacy')).map((slice) =>
      endpointsOf(slice)
        .flatMap(({ addresses }) => addresses)
        .join(),
    );
    expect(found.toSorted()).toEqual(['192.0.2.1,192.0.2.3', '192.0.2.2']);
  });

  test('the Endpoints own it, with their labels, and their annotations but for the own ones', async () => {
    const metadata = {
      labels: { team: 'shop' },
      annotations: {
        note: 'moved',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
      },
    };
    await api.apply(written([{ addresses: [{ ip: '192.0.2.1' }], ports }], metadata));
    const [slice] = await slicesOf('legacy');
    const { uid } = (await api.read('ep/legacy')).metadata;
    expect(slice?.metadata).toMatchObject({
      generateName: 'legacy-',
      labels: {
        team: 'shop',
        'kubernetes.io/service-name': 'legacy',
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      ownerReferences: [
        { kind: 'Endpoints', name: 'legacy', uid, controller: true, blockOwnerDeletion: true },
      ],
    });
    expect(slice?.metadata.annotations).toEqual({ note: 'moved' });
  });

  test.each([
    ['a label', { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }],
    ['a leader', { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }],
  ])('%s keeps them from being mirrored, and from being endpoints', async (_, metadata) => {
    await api.apply(written([{ addresses: [{ ip: '192.0.2.1' }], ports }], metadata));
    expect(await slicesOf('legacy')).toEqual([]);
    expect(await api.places('legacy')).toEqual([]);
    expect(await api.read('ep/legacy')).toHaveProperty('subsets');
    const { body } = await api.call('GET', '/v1/namespaces/default/services/legacy/explain');
    expect((body as Explanation).notes[0]).toMatch(/but its Endpoints say .* not to be mirrored$/);
  });

  test('a subset counts with 1,000 addresses, the ready ones first', async () => {
    const block = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ ip: `10.0.${from + (i >> 8)}.${i & 255}` }));
    const subset = {
      addresses: block(0, 900),
      notReadyAddresses: block(10, 200),
      ports: [{ name: 'http', port: 80 }],
    };
    await api.apply(written([subset]));
    const [slice, ...others] = await slicesOf('legacy');
    expect(others).toEqual([]);
    expect(endpointsOf(slice)).toHaveLength(1_000);
    const { endpoints } = await api.resolve('legacy');
    expect(endpoints.filter(({ ready }) => ready)).toHaveLength(900);
    expect(endpoints).toHaveLength(1_000);
  });

  test('subsets with the same ports are in slices of 1,000; an address that is ready in one is ready', async () => {
    const block = (first: number) =>
      Array.from({ length: 700 }, (_, i) => ({ ip: `10.${first}.${i >> 8}.${i & 255}` }));
    const own = [{ name: 'http', port: 80 }];
    await api.apply(
      written([
        { addresses: block(1), notReadyAddresses: [{ ip: '192.0.2.1' }], ports: own },
        { addresses: [...block(2), { ip: '192.0.2.1' }], ports: own },
      ]),
    );
    const slices = await slicesOf('legacy');
    expect(slices.map((slice) => endpointsOf(slice).length)).toEqual([1_000, 401]);
    const names = slices.map(({ metadata }) => metadata.name);
    expect(names[1]).toBe(`${names[0]}-1`);
    const all = slices.flatMap(endpointsOf);
    expect(all.filter(({ addresses }) => String(addresses) === '192.0.2.1')).toEqual([
      { addresses: ['192.0.2.1'], conditions: { ready: true } },
    ]);
  });

  test('O7: without a service there are none, and with a selector those of the instances', async () => {
    await api.apply(written([{ addresses: [{ ip: '192.0.2.1' }], ports }]));
    await api.apply(serviceText('legacy', { ...orders, ports }));
    const [slice, ...others] = await slicesOf('legacy');
    expect(others).toEqual([]);
    expect(slice).toMatchObject({ endpoints: [], ports: null });
    await api.apply(written([{ addresses: [{ ip: '192.0.2.1' }], ports }], { name: 'nobody' }));
    expect(await slicesOf('nobody')).toEqual([]);
  });
});
